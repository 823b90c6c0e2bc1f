"""A crawl in the background: its own process, started and stopped from a page or anywhere else."""

import sys
import time
from typing import Any

from crimecast import UserError
from crimecast.crawling.city import crawl_city, crawl_folder
from crimecast.machine import background
from crimecast.machine.process import born, lives
from crimecast.sources.http import CrawlStopped
from crimecast.storage.access import accounted, act, failed
from crimecast.storage.store import read_json, write_json


@accounted
def start_crawl(city: str, token: str | None = None, date_format: str | None = None) -> None:
    """Crawl a city in a process of its own, unless it is being crawled; `token` is for the portal.

    `date_format` is the order of day and month, where its rows don't tell.
    """
    act("crawl", city)
    if crawl_progress(city).get("state") == "crawling":
        raise UserError("This city is being crawled already.")
    folder = crawl_folder(city)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stop").unlink(missing_ok=True)
    write_json(
        folder / "progress.json",
        {"state": "starting", "rows": 0, "expected": 0, "rate": 0.0, "at": time.time()},
    )
    process = background.start(
        "crimecast.crawling.worker", city, *([date_format] if date_format else []), log=folder / "log.txt",
        environment={"SOCRATA_APP_TOKEN": token} if token else None,
    )  # fmt: skip
    write_json(folder / "process.json", {"pid": process.pid, "started": born(process.pid)})


@accounted
def stop_crawl(city: str) -> None:
    """Ask the crawl to stop; what it fetched is kept."""
    act("stop the crawl of", city)
    (crawl_folder(city) / "stop").touch()


def crawl_progress(city: str) -> dict[str, Any]:
    """`state` (crawling, done, stopped, failed, interrupted), rows, expected, rate, seconds_left, message.

    With `notices` when it is done, and the `choices` there are where it failed for want of an
    order of day and month. Empty before the first crawl.
    """
    path = crawl_folder(city) / "progress.json"
    if not path.exists():
        return {}
    progress = read_json(path)
    if progress["state"] in ("crawling", "starting"):
        progress["state"] = "crawling" if _alive(city) else "interrupted"
        if progress["state"] == "interrupted":
            progress["message"] = "The crawl was cut off; crawl again and it goes on from there."
    return progress


def _alive(city: str) -> bool:
    path = crawl_folder(city) / "process.json"
    if not path.exists():
        return False
    noted = read_json(path)
    return lives(noted["pid"], noted["started"])


def main(city: str, date_format: str | None = None) -> int:
    """Crawl until done or asked to stop."""
    stop = crawl_folder(city) / "stop"
    try:
        crawl_city(city, stop=stop.exists, guarded=True, date_format=date_format)
        return 0
    except CrawlStopped:
        return 0
    except UserError as error:
        failed("crawl", city, str(error))
        print(error, file=sys.stderr)
        return 2
    finally:
        stop.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
