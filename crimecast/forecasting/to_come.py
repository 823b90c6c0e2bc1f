"""Forecasts past the end of the records: what the command and the page ask for, and its files."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import xarray as xr

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.calendar.steps import parse_date
from crimecast.cities import load_city
from crimecast.forecasting.ahead import Ahead, ahead, of_known
from crimecast.forecasting.forecasts import rates
from crimecast.forecasting.places import called, names, polygons
from crimecast.grids.complete import complete_steps
from crimecast.grids.covariates import covariate_path, forecast_path
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import open_grid
from crimecast.records.tail import AGES, SETTLED, tail
from crimecast.runs.run import load_run
from crimecast.storage.kept import code_of, forget, used
from crimecast.storage.store import data_root, replacing

SUFFIXES = (".nc", ".parquet", ".geojson", ".csv", ".json")
BOUND = 1e9  # bytes of all forecasts that are kept
MAKERS = ("baselines", "grids", "calendar/dates.py", "forecasting", "judging", "training/maps.py")
FIELDS = ("times", "area", "rate", "low", "high", "some", "mean", "dispersion")


def to_come(name: str, grid: str, steps: int, since: str | None = None) -> Ahead:
    """The forecast of the `steps` steps after the last complete one; or, with `since`, as it would have
    been made on that date, of what had come then: of the step that holds it nothing is known yet."""
    cube = load_cube(grid)
    origin = len(cube.times)
    if since is not None:
        moment = np.array([parse_date(since, "--since")])
        origin = int(cube.step.number(moment)[0]) - int(cube.step.number(cube.times[:1])[0])
        if origin > len(cube.times):
            raise UserError(
                f"{since} lies past the records, whose last step begins {cube.label(len(cube.times) - 1)}: "
                "what comes after them is forecast by --next alone, or by --since and --until."
            )
    if origin < 1:
        raise UserError(f"Nothing lies before {since} in the grid, so nothing can be forecast.")
    return kept(name, cube, origin, steps)


def kept(name: str, cube: Cube, origin: int, steps: int) -> Ahead:
    """The forecast of what follows the last complete of the first `origin` steps, from the store if it is
    there."""
    whole = come(cube, origin)
    partly = reported(cube, whole)
    path = _path(name, cube, whole, steps, partly)
    notices = []
    city = load_city(cube.city)
    if whole < origin and city.settles and tail(city) is None:
        notices.append(
            f"Records of the last {city.settles} days are still coming: forecast from {cube.label(whole)} on."
        )
    elif whole < origin:
        last = cube.label(origin - 1)
        notices.append(
            f"The records don't cover {last} whole: forecast from {cube.label(whole)} on."
            if whole == origin - 1
            else f"The records don't cover {cube.label(whole)} to {last}: forecast from there on."
        )
    made = _made(path, name, cube, whole, steps, partly)
    return replace(made, cube=cube, notices=(*notices, *made.notices))


def kept_next(name: str, cube: Cube, counts: str) -> np.ndarray:
    """(K, H, W) the step that follows a cube whose counts are not the grid's own but those that `counts` names,
    from the store if it is there."""
    origin = len(cube.times)
    return _made(_path(name, cube, origin, 1, None, counts), name, cube, origin, 1, None).rate[0]


def _made(
    path: Path, name: str, cube: Cube, origin: int, steps: int, partly: np.ndarray | None
) -> Ahead:
    """What is stored under a path, or what is made and stored there."""
    made = _stored(path, name, cube, origin)
    if made is None:
        made = ahead(name, cube, origin, steps, partly)
        said = {"kinds": made.kinds, "notices": made.notices}
        with replacing(path) as temporary, temporary.open("wb") as out:
            np.savez(out, said=json.dumps(said), **{f: getattr(made, f) for f in FIELDS})
        forget(data_root().glob("forecasts/*/*.npz"), BOUND)
    return made


def _stored(path: Path, name: str, cube: Cube, origin: int) -> Ahead | None:
    """What was kept under a path; None if nothing whole is."""
    try:
        used(path)
        with np.load(path, allow_pickle=False) as file:
            said = json.loads(str(file["said"]))
            parts = {field: file[field] for field in FIELDS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    return Ahead(
        name=name, cube=cube, origin=origin, kinds=tuple(said["kinds"]),
        notices=tuple(said["notices"]), **parts,
    )  # fmt: skip


def come(cube: Cube, origin: int | None = None) -> int:
    """How many of the first `origin` steps have come: where repeated crawls tell what is still missing of
    them (see `reported`), all that were over at the last; else those that the records cover whole, but for
    the days that the city's records are known to settle in."""
    city = load_city(cube.city)
    known = tail(city)
    if known is None:
        settling = int(np.ceil(city.settles / cube.step.days))
        return max(1, complete_steps(cube, origin) - settling)
    last = np.array([known.last], dtype="datetime64[s]")
    over = int(cube.step.number(last)[0]) - int(cube.step.number(cube.times[:1])[0])
    return max(1, min(len(cube.times) if origin is None else origin, over))


def reported(cube: Cube, origin: int) -> np.ndarray | None:
    """(A, C) the share of their records that the last A steps before `origin` have by now, where repeated
    crawls tell that some are still coming; None where all have come, or nothing tells."""
    known = tail(load_city(cube.city))
    if known is None:
        return None
    first = max(2, origin - round(AGES / cube.step.days))
    number = int(cube.step.number(cube.times[:1])[0])
    edges = cube.step.start(number + np.arange(first, origin + 1))
    channels = json.loads(open_grid(cube.grid).attrs["types"]).values()
    share = [known.of_steps(edges[:-1], edges[1:], members) for members in channels]
    whole = np.stack(share, axis=1).round(4)
    late = np.flatnonzero(whole.min(axis=1) < SETTLED)
    return whole[late[0] :] if len(late) else None


def _path(
    name: str, cube: Cube, origin: int, steps: int, partly: np.ndarray | None, counts: str = ""
) -> Path:
    parts = [part.strip() for part in name.split("+")]
    stamps = [str(load_run(part).stamp) for part in parts if _has_network(part)]
    stamps += [_covariates(part, cube) for part in parts if _has_network(part)]
    made_by = code_of(*MAKERS).hex()
    share = None if partly is None else partly.tolist()
    identity = json.dumps([parts, stamps, origin, steps, share, made_by, counts])
    digest = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    return data_root() / "forecasts" / cube.grid / f"ahead.{digest}.npz"


def _covariates(name: str, cube: Cube) -> str:
    """Changes when what is stored of a run's covariates does."""
    paths = [
        place(cube.city, one)
        for one in load_run(name).design.static
        for place in (covariate_path, forecast_path)
    ]
    return " ".join(str(path.stat().st_mtime_ns) for path in paths if path.exists())


def _has_network(name: str) -> bool:
    if name in BASELINES or "@" in name or name == "truth":
        return False  # `ahead` says what is wrong with the latter two
    return (load_run(name).folder / "network.safetensors").exists()


def number_of(cube: Cube, date: str, option: str) -> int:
    """The step that begins at or after a date, counted from the grid's first; past its end too."""
    moment = np.array([parse_date(date, option)])
    number = cube.step.number(moment)
    number = number + (cube.step.start(number) < moment)
    return int(number[0]) - int(cube.step.number(cube.times[:1])[0])


def period(name: str, grid: str, since: str, until: str) -> Ahead | None:
    """The forecast of a period that reaches past the grid's end: of steps that have come, one step ahead
    each; of those that haven't, from the last complete one. None for a period within the grid."""
    cube = load_cube(grid)
    first, last = number_of(cube, since, "--since"), number_of(cube, until, "--until")
    if last <= len(cube.times) or last <= first:
        return None
    whole = come(cube)
    made = kept(name, cube, len(cube.times), last - whole)
    if first >= whole:
        return _cut(made, first - whole)
    if first < 1:
        raise UserError(f"Nothing lies before {since} in the grid; start the period later.")
    return of_known(made, first, rates(name, cube, first, whole))


def _cut(made: Ahead, since: int) -> Ahead:
    fields = ("times", "rate", "low", "high", "some", "mean", "dispersion")
    return replace(made, **{field: getattr(made, field)[since:] for field in fields})


def summary(made: Ahead) -> dict[str, Any]:
    """What `forecast --next --json` prints."""
    steps = []
    for step in range(len(made.times)):
        expected, low, high = made.total(step)
        steps.append({"step": made.label(step), "expected": expected, "low": low, "high": high})
    known = made.cube.label(made.origin - 1)
    return {
        "name": made.name, "grid": made.cube.grid, "known_until": known, "steps": steps,
        "notices": list(made.notices),
    }  # fmt: skip


def save(path: Path, made: Ahead) -> None:
    """Write a forecast as NetCDF, Parquet or CSV (a row a cell, step and type), GeoJSON (a feature a cell,
    flat columns) or JSON (what `summary` says and the cells). Raises UserError for another suffix."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"Steps to come can be written as {', '.join(SUFFIXES)}, not as '{suffix}'."
        )
    with replacing(path) as temporary:
        if suffix == ".nc":
            dataset(made).to_netcdf(temporary, engine="scipy")
        elif suffix == ".parquet":
            table(made).to_parquet(temporary, index=False)
        elif suffix == ".csv":
            table(made).to_csv(temporary, index=False, float_format="%.6g")
        elif suffix == ".json":
            cells = table(made)
            cells["step"] = cells["step"].astype(str)
            cells = cells.round(6)
            whole = {**summary(made), "cells": cells.to_dict("records")}
            temporary.write_text(json.dumps(whole), encoding="utf-8")
        else:
            temporary.write_text(json.dumps(geojson(made)), encoding="utf-8")


def dataset(made: Ahead) -> xr.Dataset:
    """The forecast with the names of its axes."""
    cube = made.cube
    attributes = {k: v for k, v in open_grid(cube.grid).attrs.items() if k != "provenance"}
    axes = ("time", "type", "y", "x")
    return xr.Dataset(
        {
            "rate": (axes, made.rate, {"units": "expected events per cell and step"}),
            "low": (axes, made.low, {"units": "events, lower end of the 95 % interval"}),
            "high": (axes, made.high, {"units": "events, upper end of the 95 % interval"}),
            "some": (axes, made.some, {"units": "chance of at least one event"}),
            "area": (("y", "x"), made.area),
        },
        coords={
            "time": made.times,
            "type": list(made.kinds),
            "y": cube.y,
            "x": cube.x,
            **called(cube),
        },
        attrs={**attributes, "forecast": made.name},
    )


def table(made: Ahead) -> pd.DataFrame:
    """A row a step, type and cell of the study area: longitude and latitude of its centre, rate,
    interval, chance of at least one event."""
    row, column = np.nonzero(made.area)
    cube, city = made.cube, load_city(made.cube.city)
    longitude, latitude = city.to_metres.transform(cube.x[column], cube.y[row], direction="INVERSE")
    areas = names(cube, row, column)
    parts = []
    for step in range(len(made.times)):
        for k, kind in enumerate(made.kinds):
            values = {
                f: getattr(made, f)[step, k][made.area] for f in ("rate", "low", "high", "some")
            }
            place = {"row": row, "column": column, "longitude": longitude, "latitude": latitude}
            place |= {"area": areas} if areas else {}
            parts.append(pd.DataFrame({"step": made.times[step], "type": kind, **place, **values}))
    return pd.concat(parts, ignore_index=True)


def geojson(made: Ahead) -> dict[str, Any]:
    """Each cell of the study area as a square, or the area it stands for, with one column a step, type and number, the first step's
    total also as `expected`, by which a map is styled at once."""
    row, column = np.nonzero(made.area)
    shapes = polygons(made.cube, load_city(made.cube.city), row, column)
    areas = names(made.cube, row, column)
    columns: dict[str, np.ndarray] = {"expected": made.rate[0, -1][made.area]}
    for step in range(len(made.times)):
        for k, kind in enumerate(made.kinds):
            for field in ("rate", "low", "high", "some"):
                name = f"{made.label(step)} {kind} {field}"
                columns[name] = getattr(made, field)[step, k][made.area]
    features = [
        {
            "type": "Feature",
            "properties": {
                "row": int(row[i]),
                "column": int(column[i]),
                **({"area": areas[i]} if areas else {}),
                **{name: round(float(values[i]), 6) for name, values in columns.items()},
            },
            "geometry": shapes[i],
        }
        for i in range(len(row))
    ]
    return {"type": "FeatureCollection", "forecast": made.name, "features": features}
