"""Weekly 32×32 greyscale pictures of each large type, the form of the 2018 thesis without its faults.

The thesis lost the last week, skipped weeks without events (so later ones shifted), cut week 53
short, transposed its arrays, and let the data's own extent, future included, decide the cells.
Here every week from the first to the last has a picture, north is up, and the square is the
city's extent.
"""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from crimecast import UserError
from crimecast.calendar.steps import Step
from crimecast.cities import load_city
from crimecast.records.snapshot import snapshot

SIDE = 32
LARGE = 0.02  # of all events: smaller types are empty pictures most weeks


def weekly_heatmaps(city_name: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Types, Mondays (T,) and counts (T, types, 32, 32), row 0 in the north.

    The square is the smallest around the city's extent, so that pixels are square. Raises
    UserError for a city without events.
    """
    city = load_city(city_name)
    extent = city.extent()
    records = snapshot(city)
    if not records.months or extent is None:
        raise UserError(f"{city.title} has no events yet: crawl or import some first.")
    totals = records.type_counts
    names = [name for name, count in totals.items() if count >= LARGE * sum(totals.values())]
    x0, y0, x1, y1 = extent
    side = max(x1 - x0, y1 - y0)
    left, low = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    week = Step.parse("1w")
    events = records.scan().select("time", "x", "y", "type").collect()
    number = week.number(events["time"].to_numpy())
    first, last = int(number.min()), int(number.max())
    column = np.floor((events["x"].to_numpy() - left) / side * SIDE).astype(int)
    row = SIDE - 1 - np.floor((events["y"].to_numpy() - low) / side * SIDE).astype(int)
    kind = (
        events["type"]
        .replace_strict({n: i for i, n in enumerate(names)}, default=-1, return_dtype=pl.Int64)
        .to_numpy()
    )
    counts = np.zeros((last - first + 1, len(names), SIDE, SIDE), dtype=np.int64)
    inside = (kind >= 0) & (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
    np.add.at(counts, (number[inside] - first, kind[inside], row[inside], column[inside]), 1)
    return names, week.start(np.arange(first, last + 1)).astype("datetime64[D]"), counts


def check_folder(folder: Path) -> None:
    """Raise UserError where heatmaps can't be written: before anything is made for them."""
    if not folder.parent.is_dir():
        raise UserError(f"There is no folder {folder.parent}.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is not a folder.")


def write_heatmaps(city_name: str, folder: Path) -> int:
    """Write FOLDER/type/2014-01-06.png, brightest where the type's busiest pixel is; how many."""
    check_folder(folder)
    names, mondays, counts = weekly_heatmaps(city_name)
    for index, name in enumerate(names):
        safe = "".join(c if c.isalnum() else "_" for c in name)
        (folder / safe).mkdir(parents=True, exist_ok=True)
        # The root spreads out small counts; one scale for all weeks keeps them comparable.
        grey = np.round(255 * np.sqrt(counts[:, index] / max(1, counts[:, index].max()))).astype(
            np.uint8
        )
        for monday, picture in zip(mondays, grey, strict=True):
            Image.fromarray(picture).save(folder / safe / f"{monday}.png")
    return len(names) * len(mondays)
