"""What the commands about records and grids do."""

import argparse
from typing import Any

from crimecast.commands import terminal
from crimecast.commands.ready import ready
from crimecast.errors import UserError


def cities(_: argparse.Namespace) -> tuple[Any, str]:
    """Every city with what is known of it."""
    from crimecast.archive import manifest
    from crimecast.cities import list_cities

    ready()
    rows = []
    for city in list_cities():
        months = manifest(city)["months"]
        rows.append(
            {
                "name": city.name,
                "title": city.title,
                "time_zone": city.time_zone,
                "crs": city.crs,
                "simulated": city.simulated,
                "events": sum(entry["rows"] for entry in months.values()),
                "from": min(months, default=None),
                "to": max(months, default=None),
                "datasets": [source.dataset for source in city.sources],
                "groups": list(city.groups),
            }
        )
    lines = [
        f"{row['name']:<20} {row['title']:<28} {row['events']:>11,} events"
        + (f"  {row['from']} to {row['to']}" if row["from"] else "")
        for row in rows
    ]
    return rows, "\n".join(lines)


def crawl(options: argparse.Namespace) -> tuple[Any, str]:
    """Crawl with a progress line on standard error."""
    from crimecast import archive
    from crimecast.access import act
    from crimecast.cities import load_city
    from crimecast.crawling import crawl_city

    def show(progress: dict[str, Any]) -> None:
        left = progress.get("seconds_left")
        terminal.show(
            f"{progress['rows']:,} rows, {progress['rate']:,.0f} a second"
            + (f", {left:,.0f} s left" if left is not None else "")
        )

    act("crawl", options.city)
    result = crawl_city(
        options.city,
        options.since,
        options.until,
        url=options.url,
        page_size=options.page_size,
        report=show,
    )
    result["report"] = archive.report(load_city(options.city))
    return result, (
        f"{result['read']:,} rows read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known; not used: {_reasons(result['dropped'])}."
    )


def import_(options: argparse.Namespace) -> tuple[Any, str]:
    """Import a file."""
    from crimecast.archive import report
    from crimecast.cities import load_city
    from crimecast.importing import import_file

    result = import_file(
        options.city, options.file, _mapping(options.map), options.crs, options.tz,
        date_format=options.date_format, encoding=options.encoding, delimiter=options.delimiter,
    )  # fmt: skip
    result["report"] = report(load_city(options.city))
    lines = [
        f"{result['read']:,} records read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known already; not used: {_reasons(result['dropped'])}.",
        f"Read as: {'; '.join(f'{what}: {how}' for what, how in result['read_as'].items())}.",
        *(f"Notice: {notice['says']}" for notice in result["notices"]),
    ]
    return result, "\n".join(lines)


def covariate(options: argparse.Namespace) -> tuple[Any, str]:
    """Store other maps of a city: weather by day, population by place."""
    from crimecast.covariates import import_covariate

    made = import_covariate(options.city, options.file, options.name, _mapping(options.map))
    return made, (
        f"{made['covariate']}: {made['rows']:,} values by {' and '.join(made['by'])}, {made['not_used']:,} rows "
        f'not used. Name it in a spec: static = ["{made["covariate"]}"].'
    )


def _reasons(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"


def grid(options: argparse.Namespace) -> tuple[Any, str]:
    """Make a grid, or find the one that the same request made before."""
    from crimecast.cluster import address_asked
    from crimecast.grid import make_grid

    ready()
    made = make_grid(
        options.city, options.cell, options.step, options.types, options.since, options.until,
        address_asked(options.executor, options.address),
    )  # fmt: skip
    if options.heatmaps is not None:
        from crimecast.heatmaps import write_heatmaps

        made = {**made, "heatmaps": write_heatmaps(options.city, options.heatmaps)}
    steps, kinds, height, width = made["shape"]
    return made, (
        f"{made['grid']}: {steps:,} steps × {kinds} × {height} × {width}, {made['cells']:,} cells in the study "
        f"area, {made['events']:,} events; not counted: {_reasons(made['dropped_by_reason'])}."
    )


def _mapping(pairs: list[str]) -> dict[str, str]:
    """--map FIELD=COLUMN … as a dictionary."""
    mapping = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not sign or not field or not column:
            raise UserError(f"--map '{pair}' is not of the form FIELD=COLUMN.")
        mapping[field] = column
    return mapping
