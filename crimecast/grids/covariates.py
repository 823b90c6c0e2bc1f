"""Other maps for a design, from a file: weather by day, population by place, or both at once.

A file's rows hold a `value` and a `time`, a place, or both. What is dated is known only once its
step is over: a forecast is given the value of the last step before it, never its own.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crimecast import Doubt, UserError
from crimecast.cities import City, load_city
from crimecast.cities.city import check_name
from crimecast.grids.cube import Cube
from crimecast.reading.days import order_of
from crimecast.reading.files import read_table
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from crimecast.storage.access import accounted, act
from crimecast.storage.forms import Damaged
from crimecast.storage.store import data_root, replacing

FIELDS = ("value", "time", "longitude", "latitude")


@accounted
def import_covariate(
    city_name: str, path: Path, name: str, mapping: dict[str, str], date_format: str | None = None,
    forecast: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Store a file's values as the covariate `name` of a city, in place of an earlier one; with
    `forecast`, as what is forecast of it, which only forecasts of steps to come are given.

    mapping: our FIELDS to the file's columns; where a field is not mapped, a column of its own name
    is used if there is one. `date_format` is the order of day and month in its dates. Raises
    UserError for a place without its other half, or a file of which no row can be used; Doubt for
    a missing value column, or dates that can be read in several ways.
    """
    check_name(name)
    order = order_of(date_format) if date_format else None
    city = load_city(city_name)
    act("import", f"{path.name} as a covariate of {city_name}")
    table = read_table(path)
    columns = {field: mapping.get(field, field) for field in FIELDS}
    for field, column in columns.items():
        if column not in table.columns and field in mapping:
            raise UserError(
                f"{path.name} has no column '{column}'; it has {', '.join(table.columns)}."
            )
    known = {field: column for field, column in columns.items() if column in table.columns}
    if "value" not in known:
        raise Doubt(
            f"Say which column of {path.name} is the value; it has {', '.join(table.columns)}.",
            "--map value=COLUMN",
            tuple(table.columns),
        )
    if ("longitude" in known) != ("latitude" in known):
        raise UserError("A place needs both longitude and latitude.")
    if known.keys() == {"value"}:
        raise UserError(f"{path.name} needs a time, a place (longitude and latitude), or both.")
    parts = {"value": table[known["value"]].cast(pl.Float64, strict=False)}
    if "time" in known:
        moments = read_moments(table, [known["time"]], Asked(city.time_zone, order))
        parts["time"] = moments.values
    if "longitude" in known:
        longitude, latitude = (
            table[known[f]].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
            for f in ("longitude", "latitude")
        )
        x, y = city.to_metres.transform(longitude, latitude)
        parts["x"], parts["y"] = pl.Series(x), pl.Series(y)
    stored = pl.DataFrame(parts)
    usable = stored.drop_nulls().filter(
        pl.all_horizontal(pl.col(c).is_finite() for c in stored.columns if c != "time")
    )
    if usable.is_empty():
        raise UserError(
            f"No row of {path.name} has all of {', '.join(known)} in a form that can be read."
        )
    if forecast:
        _check_forecast(city, name, usable)
    place = (forecast_path if forecast else covariate_path)(city.name, name)
    with replacing(place) as temporary:
        usable.write_parquet(temporary)
    return {
        **({"time": moments.says} if "time" in known else {}),
        "covariate": name, "city": city.name, "rows": len(usable), "not_used": len(stored) - len(usable),
        "by": [word for word, field in (("step", "time"), ("cell", "x")) if field in parts],
    }  # fmt: skip


def _check_forecast(city: City, name: str, usable: pl.DataFrame) -> None:
    known = covariate_path(city.name, name)
    if not known.exists():
        raise UserError(f"{city.title} has no covariate '{name}' yet, of which this is a forecast.")
    if _kept(known).columns != usable.columns or "time" not in usable.columns:
        raise UserError(
            f"A forecast of '{name}' needs what its values have: a time, and places where those have some."
        )


def list_covariates(city: City) -> list[str]:
    """The names of a city's covariates."""
    return sorted(path.stem for path in (data_root() / "covariates" / city.name).glob("*.parquet"))


def covariate_maps(
    cube: Cube, area: np.ndarray, name: str, lead: int, come: int | None = None
) -> np.ndarray:
    """(T or 1, N) float32: what is known of each cell for each step, `lead` steps ahead. Where only the
    first `come` steps of the cube have come, later ones are given what is forecast of it, if anything is.

    Rows are averaged by cell and step. Between dates the last known value holds; before the first,
    and where a place has no value, it is NaN. Values are compressed as sign(v) ln(1 + |v|), so that
    large numbers keep their order in half precision. Raises UserError if there is no such covariate.
    """
    path = covariate_path(cube.city, name)
    if not path.exists():
        city = load_city(cube.city)
        known = ", ".join(list_covariates(city)) or "none yet"
        raise UserError(
            f"{city.title} has no covariate '{name}' (it has {known}): add it with "
            f"`python -m crimecast covariate {city.name} FILE --name {name}`."
        )
    rows = _kept(path)
    first = int(cube.step.number(cube.times[:1])[0])
    if come is not None and "time" in rows.columns:
        rows = _until(rows, forecast_path(cube.city, name), cube, first + come)
    rows = rows.with_columns(pl.col("value").sign() * pl.col("value").abs().log1p())
    cells, steps = int(area.sum()), len(cube.times)
    place = _on_cells(cube, area, rows) if "x" in rows.columns else None
    if "time" not in rows.columns:
        return _average(rows["value"].to_numpy(), place, cells)[None]
    number = cube.step.number(rows["time"].to_numpy())
    known_at = number - first + lead  # the first step that may know of it
    made = np.full((steps, cells), np.nan, dtype=np.float32)
    value = rows["value"].to_numpy()
    for at in np.unique(known_at):
        if at < steps:
            chosen = known_at == at
            part = None if place is None else place[chosen]
            row = _average(value[chosen], part, cells)
            made[max(at, 0)] = np.where(np.isnan(row), made[max(at, 0)], row)
    for t in range(1, steps):
        made[t] = np.where(np.isnan(made[t]), made[t - 1], made[t])
    return made


def _kept(path: Path) -> pl.DataFrame:
    """The rows of a covariate that was brought in. Raises Damaged."""
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError):
        raise Damaged(
            f"What is kept of the covariate '{path.stem}' is damaged: bring it in anew."
        ) from None


def _until(rows: pl.DataFrame, forecast: Path, cube: Cube, number: int) -> pl.DataFrame:
    """The values of the steps before `number`, and of those from it on what is forecast."""
    known = rows.filter(cube.step.number(rows["time"].to_numpy()) < number)
    if not forecast.exists():
        return known
    told = _kept(forecast)
    told = told.filter(cube.step.number(told["time"].to_numpy()) >= number)
    return pl.concat([known, told.select(known.columns)], how="vertical_relaxed")


def forecast_path(city: str, name: str) -> Path:
    """Where a forecast of a city's covariate is stored."""
    path = covariate_path(city, name)
    return path.parent / "forecast" / path.name


def covariate_path(city: str, name: str) -> Path:
    """Where a city's covariate is stored. Raises UserError for a name that can't be one."""
    check_name(name)
    return data_root() / "covariates" / city / f"{name}.parquet"


def _on_cells(cube: Cube, area: np.ndarray, rows: pl.DataFrame) -> np.ndarray:
    """(R,) which of the N cells each row lies in, −1 beyond them."""
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    column = np.floor((x - cube.x[0]) / cube.cell + 0.5).astype(int)
    row = np.floor((y - cube.y[0]) / cube.cell + 0.5).astype(int)
    inside = (row >= 0) & (row < area.shape[0]) & (column >= 0) & (column < area.shape[1])
    index = np.full(area.shape, -1)
    index[area] = np.arange(int(area.sum()))
    return np.where(inside, index[np.where(inside, row, 0), np.where(inside, column, 0)], -1)


def _average(value: np.ndarray, place: np.ndarray | None, cells: int) -> np.ndarray:
    """(N,) the mean of the rows of each cell, NaN without one; of all rows where there is no place."""
    if place is None:
        return np.full(cells, value.mean(), dtype=np.float32)
    inside = place >= 0
    total = np.bincount(place[inside], value[inside], cells)
    count = np.bincount(place[inside], minlength=cells)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
