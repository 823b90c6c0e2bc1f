"""Crawl a city: each of its data sets, with one account of what was fetched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from crimecast import Doubt, UserError
from crimecast.calendar.steps import parse_date
from crimecast.cities import Source, load_city
from crimecast.crawling.counter import Counter, Report
from crimecast.crawling.dataset import Crawl, Table
from crimecast.crawling.result import notices_of
from crimecast.reading.days import order_of
from crimecast.reading.notice import Notice
from crimecast.records.extent import fix_extent
from crimecast.sources.arcgis import FeatureLayer
from crimecast.sources.carto import SqlTable
from crimecast.sources.ckan import Resource
from crimecast.sources.http import Client, CrawlStopped, Refused
from crimecast.sources.police_uk import Archive
from crimecast.sources.socrata import Dataset, headers_for
from crimecast.storage.store import data_root

CONNECTIONS = 4


def crawl_folder(city: str) -> Path:
    """Where a city's crawl keeps its state."""
    return data_root() / "cities" / city / "crawl"


def open_dataset(source: Source, client: Client, page_size: int, zone: str) -> Table:
    """The data set of a registry entry in a city of that zone, by its kind: socrata, soda3, arcgis, ckan, carto or police_uk."""
    kinds: dict[str, type[Table]] = {
        "socrata": Dataset, "soda3": Dataset, "arcgis": FeatureLayer, "ckan": Resource, "carto": SqlTable,
        "police_uk": Archive,
    }  # fmt: skip
    if source.kind not in kinds:
        raise UserError(f"'{source.kind}' is not a kind of source; use one of {', '.join(kinds)}.")
    return kinds[source.kind](source, client, page_size, zone)


def crawl_city(
    name: str,
    since: str | None = None,
    until: str | None = None,
    url: str | None = None,
    page_size: int = 10_000,
    report: Report = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    guarded: bool = False,
    date_format: str | None = None,
) -> dict[str, Any]:
    """Fetch a city's records from its portal, or what is new and changed if it was crawled before.

    `guarded` refuses portals inside private networks; `date_format` is the order of day and month
    in dates that are texts. Returns rows `read`, `added`, `corrected`, `known`, `removed`, `dropped`
    by reason, and `notices`: what was decided in doubt or looks wrong. Raises UserError for a city
    without a portal, a wrong period, a portal that fails or changed its columns, or while another
    crawl of the city runs; Doubt where no row tells day from month; CrawlStopped when asked to stop.
    """
    if date_format:
        order_of(date_format)
    city = load_city(name)
    if not city.sources:
        raise UserError(f"No portal is known for {city.title}; import a file instead.")
    if not 1 <= page_size <= 50_000:
        raise UserError("A page holds 1 to 50000 rows.")
    period = tuple(
        None if text is None else parse_date(text, option)
        for text, option in ((since, "--since"), (until, "--until"))
    )
    if period[0] is not None and period[1] is not None and period[1] <= period[0]:
        raise UserError("The period is empty: --until must lie after --since.")
    folder = crawl_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    total: dict[str, Any] = {
        "city": name,
        "read": 0,
        "added": 0,
        "corrected": 0,
        "known": 0,
        "removed": 0,
        "dropped": {},
    }
    decided: dict[str, Notice] = {}
    counter = Counter(folder, report)
    try:
        with FileLock(folder / ".lock", timeout=0.5):
            for source in city.sources:
                window = _window(source, period)
                if window is None:
                    continue
                headers = headers_for(url or source.portal)
                client = Client(url or source.portal, headers, CONNECTIONS, stop, guarded)
                crawl = Crawl(
                    city,
                    open_dataset(source, client, page_size, city.time_zone),
                    window,
                    folder,
                    counter,
                    CONNECTIONS,
                    date_format,
                )
                for key, value in crawl.run().items():
                    if key == "dropped":
                        for reason, count in value.items():
                            total["dropped"][reason] = total["dropped"].get(reason, 0) + count
                    else:
                        total[key] += value
                decided |= crawl.notices
            if city.extent() is None:
                fix_extent(city)
            total["notices"] = notices_of(city, list(decided.values()))
            counter.tell("done", _account(total), notices=total["notices"])
    except Timeout:
        raise UserError(f"{city.title} is being crawled already.") from None
    except Refused as error:
        counter.tell("failed", f"The portal refuses the question ({error.text}).")
        raise UserError(f"The portal refuses the question ({error.text}).") from None
    except CrawlStopped:
        counter.tell(
            "stopped", "Stopped; what was fetched is kept, and the next crawl goes on from there."
        )
        raise
    except UserError as error:
        choices = error.choices if isinstance(error, Doubt) else ()
        counter.tell("failed", str(error), choices=choices)
        raise
    return total


def _account(total: dict[str, Any]) -> str:
    return (
        f"{total['read']:,} rows read: {total['added']:,} new, {total['corrected']:,} corrected, "
        f"{total['removed']:,} removed at the portal."
    )


def _window(source: Source, period: tuple[Any, ...]) -> tuple[str | None, str | None] | None:
    """The part of the period that this source covers, as ISO text, or None if there is none."""
    bounds = []
    for given, own, later in ((period[0], source.since, max), (period[1], source.until, min)):
        known = [
            moment
            for moment in (given, np.datetime64(own, "us") if own else None)
            if moment is not None
        ]
        bounds.append(later(known) if known else None)
    if bounds[0] is not None and bounds[1] is not None and bounds[1] <= bounds[0]:
        return None
    first, last = (None if b is None else str(b.astype("datetime64[s]")) for b in bounds)
    return first, last
