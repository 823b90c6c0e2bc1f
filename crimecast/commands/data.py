"""What the commands about records and grids do."""

import argparse
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.commands import terminal
from crimecast.commands.arguments import Add, cluster
from crimecast.commands.ready import ready
from crimecast.storage.access import accounted, act


def cities(_: argparse.Namespace) -> tuple[Any, str]:
    """Every city with what is known of it."""
    from crimecast.cities import damaged_entries, list_cities
    from crimecast.records.snapshot import snapshot

    ready()
    rows, damaged = [], damaged_entries()
    for city in list_cities():
        try:
            months = snapshot(city).months
        except UserError as error:
            damaged.append(str(error))
            continue
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
    if damaged:
        terminal.note(" ".join(damaged))
    return rows, "\n".join(lines)


@accounted
def crawl(options: argparse.Namespace) -> tuple[Any, str]:
    """Crawl with a progress line on standard error."""
    from crimecast.cities import load_city
    from crimecast.crawling import crawl_city
    from crimecast.records.snapshot import snapshot

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
        date_format=options.date_format,
    )
    result["report"] = snapshot(load_city(options.city)).report()
    lines = [
        f"{result['read']:,} rows read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known; not used: {_reasons(result['dropped'])}.",
        *(f"Notice: {notice['says']}" for notice in result["notices"]),
    ]
    return result, "\n".join(lines)


def import_(options: argparse.Namespace) -> tuple[Any, str]:
    """Import a file."""
    from crimecast.cities import load_city
    from crimecast.records.importing import import_file
    from crimecast.records.snapshot import snapshot

    result = import_file(
        options.city, options.file, _mapping(options.map), options.crs, options.tz,
        date_format=options.date_format, encoding=options.encoding, delimiter=options.delimiter,
    )  # fmt: skip
    result["report"] = snapshot(load_city(options.city)).report()
    lines = [
        f"{result['read']:,} records read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known already; not used: {_reasons(result['dropped'])}.",
        f"Read as: {'; '.join(f'{what}: {how}' for what, how in result['read_as'].items())}.",
        *(f"Notice: {notice['says']}" for notice in result["notices"]),
    ]
    return result, "\n".join(lines)


def correct(options: argparse.Namespace) -> tuple[Any, str]:
    """Read a city's files again, another way."""
    from crimecast.grids.correcting import correct_city
    from crimecast.records.correcting import Correction

    ready()
    mapping = _mapping(options.map) or None
    result = correct_city(
        options.city, Correction(mapping, options.crs, options.tz, options.date_format)
    )
    lines = [
        f"{result['files']} file{'s' * (result['files'] != 1)} read again: {result['events']:,} of {result['read']:,} records are used.",
        *(f"Notice: {notice['says']}" for notice in result["notices"]),
    ]
    if result["outdated"]:
        lines.append(f"Made of the old reading, and marked so: {', '.join(result['outdated'])}.")
    return result, "\n".join(lines)


def covariate(options: argparse.Namespace) -> tuple[Any, str]:
    """Store other maps of a city: weather by day, population by place."""
    from crimecast.grids.covariates import import_covariate

    made = import_covariate(
        options.city, options.file, options.name, _mapping(options.map), options.date_format,
        options.forecast,
    )  # fmt: skip
    return made, (
        f"{made['covariate']}: {made['rows']:,} values by {' and '.join(made['by'])}, {made['not_used']:,} rows "
        + (
            "not used. Forecasts of steps to come are given them."
            if options.forecast
            else f'not used. Name it in a spec: static = ["{made["covariate"]}"].'
        )
    )


def import_cube(options: argparse.Namespace) -> tuple[Any, str]:
    """Store counts that were made elsewhere as a grid."""
    from crimecast.grids.bringing import import_cube as bring
    from crimecast.grids.tensor_axes import Wanted

    wanted = Wanted(
        options.since, options.step, options.types, options.cell, _corner(options.origin),
        options.tz, options.crs, options.areas,
    )  # fmt: skip
    made = bring(options.city, options.file, options.axes, options.var, wanted)
    steps, kinds, height, width = made["shape"]
    lines = [
        f"{made['grid']}: {steps:,} steps × {kinds} × {height} × {width} from {made['first']} to {made['last']}, "
        f"{made['cells']:,} cells in the study area, {made['events']:,} events.",
        *(f"Notice: {note}" for note in made["notes"]),
    ]
    return made, "\n".join(lines)


def _corner(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--origin '{text}' is not of the form X,Y in metres.") from None
    return x, y


def _reasons(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"


def grid(options: argparse.Namespace) -> tuple[Any, str]:
    """Make a grid, or find the one that the same request made before."""
    from crimecast.grids.grid import make_grid
    from crimecast.grids.heatmaps import check_folder, write_heatmaps
    from crimecast.machine.cluster import address_asked

    ready()
    if options.heatmaps is not None:
        check_folder(options.heatmaps)
    made = make_grid(
        options.city, options.cell, options.step, options.types, options.since, options.until,
        address_asked(options.executor, options.address),
    )  # fmt: skip
    if options.heatmaps is not None:
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


def _date_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date-format", metavar="ORDER",
        help="where dates can be read in two ways: dmy, mdy, ymd or dd/mm/yyyy",
    )  # fmt: skip


def delete(options: argparse.Namespace) -> tuple[Any, str]:
    """Move a city or a grid to the bin."""
    from crimecast.cities.city import NAME, is_registered
    from crimecast.grids.grid import list_grids
    from crimecast.live.discarding import delete_city, delete_grid

    ready()
    is_city = NAME.fullmatch(options.name) is not None and is_registered(options.name)
    if not is_city and all(one["grid"] != options.name for one in list_grids()):
        raise UserError(
            f"There is no city and no grid called '{options.name[:80]}'; runs RUN delete takes a run."
        )
    entry = (delete_city if is_city else delete_grid)(options.name)
    runs = f" with {len(entry.runs)} runs" if entry.runs else ""
    return {"bin": entry.id}, f"{options.name} is in the bin{runs}: bin {entry.id} takes it back."


def bin_(options: argparse.Namespace) -> tuple[Any, str]:
    """What was deleted; or take it back."""
    from crimecast.storage.bin import take_back, thrown

    ready()
    if options.back is not None:
        entry = take_back(options.back)
        return {"taken_back": entry.name}, f"{entry.name} is where it was."
    rows = [
        {"id": one.id, "kind": one.kind, "name": one.name, "runs": len(one.runs), "days_left": one.days_left}
        for one in thrown()
    ]  # fmt: skip
    lines = [
        f"{row['id']}  {row['kind']} {row['name']}, {row['days_left']} days left" for row in rows
    ]
    return rows, "\n".join(lines) or "The bin is empty."


def register(add: Add) -> None:
    """The commands about records and grids."""
    add("cities", cities, "List the cities that are known.")

    p = add(
        "crawl",
        crawl,
        "Fetch a city's records from its portal; again, to fetch what is new.",
    )
    p.add_argument("city")
    p.add_argument("--since", metavar="DATE")
    p.add_argument("--until", metavar="DATE")
    p.add_argument("--url", help="another base address, with the portal's own paths")
    p.add_argument("--page-size", type=int, default=10_000, metavar="N")
    _date_format(p)

    p = add("import", import_, "Add the records of a CSV, Excel, Parquet or JSON file to a city.")
    p.add_argument("city")
    p.add_argument("file", type=Path)
    p.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="time=date, longitude=lng, …",
    )
    p.add_argument(
        "--crs", metavar="EPSG:N", help="of the file's coordinates (default: longitude, latitude)"
    )
    p.add_argument("--tz", metavar="ZONE", help="of the file's times, such as America/Chicago")
    _date_format(p)
    p.add_argument("--encoding", metavar="NAME", help="of the text (default: found)")
    p.add_argument(
        "--delimiter", metavar="SIGN", help="between fields (default: found); tab for tabs"
    )

    p = add("correct", correct, "Read a city's files again: other columns, coordinates, zone or order of dates.")  # fmt: skip
    p.add_argument("city")
    p.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN")
    p.add_argument("--crs", metavar="EPSG:N")
    p.add_argument("--tz", metavar="ZONE")
    _date_format(p)

    p = add(
        "covariate",
        covariate,
        "Add other maps to a city from a file: weather by day, population by place.",
    )
    p.add_argument("city")
    p.add_argument("file", type=Path)
    p.add_argument("--name", required=True, help="as a spec's static names it")
    p.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN",
        help="value=temperature, time=date, longitude=lng, latitude=lat",
    )  # fmt: skip
    p.add_argument(
        "--forecast", action="store_true",
        help="these values are forecast: only forecasts of steps to come are given them",
    )  # fmt: skip
    _date_format(p)

    p = add(
        "import-cube", import_cube, "Take counts on a regular grid, or by area, from an array file."
    )
    p.add_argument("city")
    p.add_argument("file", type=Path, metavar="FILE.nc|.zarr|.npz")
    p.add_argument(
        "--axes",
        required=True,
        help="of the array in its order, such as time,type,y,x or time,type,area",
    )
    p.add_argument("--var", metavar="NAME", help="the array; several, a,b,c, follow in time")
    p.add_argument("--since", metavar="DATE", help="when the first step begins")
    p.add_argument("--step", help="1h, 6h, 8h, 1d, 1w or 1mo (default: the file's, or 1d)")
    p.add_argument("--types", metavar="A,B", help="names of the types, in their order")
    p.add_argument("--cell", type=float, metavar="METRES")
    p.add_argument("--origin", metavar="X,Y", help="south-west corner in the city's metres")
    p.add_argument(
        "--areas", type=Path, metavar="FILE.geojson", help="where the areas lie, by name"
    )
    p.add_argument("--tz", metavar="ZONE", help="of a new city (default: UTC)")
    p.add_argument("--crs", metavar="EPSG:N", help="of a new city")

    p = add("delete", delete, "Move a city or a grid, with all that hangs on it, to the bin.")
    p.add_argument("name", metavar="CITY|GRID")
    p = add("bin", bin_, "List what was deleted in the last 30 days, or take one of it back.")
    p.add_argument("back", nargs="?", metavar="ID", help="what to take back")

    p = add("grid", grid, "Count a city's events on cells and steps.")
    p.add_argument("city")
    p.add_argument("--cell", type=float, default=500.0, metavar="METRES")
    p.add_argument(
        "--heatmaps", type=Path, metavar="FOLDER",
        help="also write weekly 32×32 greyscale pictures of each large type, as the 2018 thesis did",
    )  # fmt: skip
    p.add_argument("--step", default="1d", help="1h, 6h, 8h, 1d, 1w or 1mo")
    p.add_argument("--types", default="all", help="all (as one), each (one channel a type), or a,b")
    p.add_argument("--since", metavar="DATE")
    p.add_argument("--until", metavar="DATE")

    cluster(p)
