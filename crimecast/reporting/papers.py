"""A published table beside what our forecasts, and rules that need no network, get on the same tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crimecast import UserError
from crimecast.forecasting.forecasts import rates, there
from crimecast.grids.bringing import import_cube
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.tensor_axes import Wanted
from crimecast.judging.likelihood import log_likelihood
from crimecast.judging.published import (
    best_absolute,
    best_relative,
    best_thresholds,
    by_crimeforecaster,
    by_hagen,
    f1,
    masked_errors,
)

SHOWN = ("mean", "seasonal_mean", "decayed_mean", "hawkes", "memory_mixture", "boosting")
Row = dict[str, Any]
HEADS = {
    "mae": "MAE", "mape": "MAPE", "best_mae": "MAE, best", "best_mape": "MAPE, best", "f1": "F1 by CrimeForecaster", "f1_hagen": "F1 by HAGEN",
    "best_f1": "F1, best", "log_likelihood_per_event": "fit",
}  # fmt: skip


@dataclass(frozen=True)
class Paper:
    """A table: its days of training, validation and test, what is said beside it, and how its tensors become a
    grid and a forecast its rows."""

    title: str
    days: tuple[int, int, int]
    notes: tuple[str, ...]
    bring: Callable[[Path], str]
    rows: Callable[[Cube, tuple[int, int], list[str]], list[Row]]


def table(name: str, folder: Path, names: list[str]) -> tuple[Paper, Cube, list[Row]]:
    """A paper's table with a row for each of these forecasts (SHOWN if none): the paper, its counts, the rows.

    Raises UserError for a paper that isn't known, and where its tensors aren't in the folder.
    """
    if name not in PAPERS:
        raise UserError(f"There is no paper '{name}'; there are {', '.join(PAPERS)}.")
    paper = PAPERS[name]
    cube = load_cube(paper.bring(folder))
    last = len(cube.times)
    first = last - paper.days[2]
    there(*names)
    return paper, cube, paper.rows(cube, (first - paper.days[1], first), names or list(SHOWN))


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise UserError(f"{folder} has no {name}, the tensors of that paper.")
    return folder / name


def _sthsl(folder: Path) -> str:
    wanted = Wanted("2016-01-01", "1d", "theft,battery,assault,criminal damage", 3000.0, zone="America/Chicago")  # fmt: skip
    return str(import_cube("sthsl_chicago", _file(folder, "sthsl_chicago.npz"), "y,x,time,type", "train,val,test", wanted)["grid"])  # fmt: skip


def _sthsl_rows(cube: Cube, starts: tuple[int, int], names: list[str]) -> list[Row]:
    validation, first = starts
    counts, past = cube.counts[first:], cube.counts[:validation]

    def row(
        name: str, plain: np.ndarray, absolute: np.ndarray, relative: np.ndarray, fit: float | None
    ) -> Row:
        kinds = range(counts.shape[1])
        own = [masked_errors(plain[:, k], counts[:, k]) for k in kinds]
        return {
            "name": name,
            "mae": [mae for mae, _ in own], "mape": [mape for _, mape in own],
            "best_mae": [masked_errors(absolute[:, k], counts[:, k])[0] for k in kinds],
            "best_mape": [masked_errors(relative[:, k], counts[:, k])[1] for k in kinds],
            "log_likelihood_per_event": fit,
        }  # fmt: skip

    def rule(name: str, point: np.ndarray) -> Row:
        whole = np.broadcast_to(point, counts.shape)
        return row(name, whole, whole, whole, None)

    def of_rates(name: str, made: np.ndarray) -> Row:
        return row(name, made, best_absolute(made), best_relative(made), _fit(made, counts))

    positive = np.where(past > 0, past, np.nan)
    often = (past > 0).any(axis=0)
    median = np.ones(past.shape[1:])
    median[often] = np.nanmedian(positive[:, often], axis=0)
    mean = np.broadcast_to(past.mean(axis=0), counts.shape)
    return [
        rule("rule: 1 everywhere", np.ones(1)),
        rule("rule: median of a cell's days with an event", median),
        of_rates("rule: mean of the training days", mean),
        *(of_rates(name, rates(name, cube, first, len(cube.times))) for name in names),
    ]


def _fit(made: np.ndarray, counts: np.ndarray) -> float:
    return float(log_likelihood(counts, made).sum() / counts.sum())


def _crimeforecaster(folder: Path) -> str:
    """x holds the eight days before each of y; its types are rolled by one against y's."""
    parts: list[np.ndarray] = []
    for part in ("train", "val", "test"):
        with np.load(
            _file(folder, f"crimeforecaster_chicago_{part}.npz"), allow_pickle=False
        ) as one:
            if not parts:
                parts.append(np.roll(one["x"][0], -1, axis=-1))
            parts.append(one["y"][:, 0])
    days = np.concatenate(parts).astype(np.uint8)  # (day, area, type)
    with TemporaryDirectory() as own:
        path = Path(own) / "crimeforecaster_chicago.npz"
        np.savez(path, counts=days)
        types = ",".join(f"type {k + 1}" for k in range(days.shape[2]))
        wanted = Wanted("2015-01-01", "1d", types, zone="America/Chicago")
        return str(import_cube("crimeforecaster_chicago", path, "time,area,type", "counts", wanted)["grid"])  # fmt: skip


def _crimeforecaster_rows(cube: Cube, starts: tuple[int, int], names: list[str]) -> list[Row]:
    validation, first = starts
    last = len(cube.times)
    area = cube.area(last)

    def listed(values: np.ndarray) -> np.ndarray:
        """(days · areas, types)"""
        return np.moveaxis(values[..., area], 1, -1).reshape(-1, values.shape[1])

    true, held = (listed(cube.counts[a:b] > 0).astype(int) for a, b in ((first, last), (validation, first)))  # fmt: skip
    before = float((cube.counts[8:first][..., area] > 0).mean())

    def row(name: str, made: np.ndarray, made_before: np.ndarray, fit: float | None) -> Row:
        chances, earlier = (np.minimum(listed(one), 1.0) for one in (made, made_before))
        known = best_thresholds(earlier, held)
        return {
            "name": name,
            "f1": f1(by_crimeforecaster(chances), true),
            "f1_hagen": f1(by_hagen(chances, before), true),
            "best_f1": f1((chances >= known).astype(int), true),
            "log_likelihood_per_event": fit,
        }

    def frequency(start: int, end: int, steps: int) -> np.ndarray:
        return np.broadcast_to(
            cube.counts[start:end].mean(axis=0, dtype=np.float64), (steps, *cube.counts.shape[1:])
        )

    ones = np.ones_like(true)
    often = frequency(8, first, last - first)
    return [
        {"name": "rule: yes everywhere", "f1": f1(ones, true), "f1_hagen": f1(ones, true), "best_f1": f1(ones, true), "log_likelihood_per_event": None},
        row("rule: frequency of each area and type", often, frequency(8, validation, first - validation), _fit(often, cube.counts[first:])),
        *(
            row(name, (made := rates(name, cube, first, last)), rates(name, cube, validation, first), _fit(made, cube.counts[first:]))
            for name in names
        ),
    ]  # fmt: skip


PAPERS = {
    "sthsl_chicago": Paper(
        "ST-HSL, Chicago: 14 × 12 cells of 3 km, four types, a day a step",
        (609, 30, 92),
        (
            "The paper's MAE and MAPE leave out every cell without an event (lower is better): saying 1 everywhere is right about most of the rest.",
            "Best: the point that the same rates give when they know the metric, which is the median of Poisson counts of at least one (of MAPE weighed by 1/k).",
            "Fit: log-likelihood per event on all cells, those without an event too; higher is better. A rule that isn't a rate has none.",
        ),
        _sthsl,
        _sthsl_rows,
    ),
    "crimeforecaster_chicago": Paper(
        "CrimeForecaster, Chicago: 77 areas, eight types, whether there was any in a day",
        (166, 15, 30),
        (
            "Macro and micro F1 (higher is better) by CrimeForecaster's rule, and by HAGEN's: both rescale by the test period's own predictions before the threshold, which nobody has when forecasting.",
            "Best: thresholds that were best on the days of validation, of chances that aren't rescaled.",
            "In the paper's files the types of x are rolled by one against those of y: they are turned back here. Dates are nominal, the files hold none.",
            "Fit: log-likelihood per event on all areas, days and types; higher is better.",
        ),
        _crimeforecaster,
        _crimeforecaster_rows,
    ),
}  # fmt: skip


def cells(row: Row) -> list[str]:
    """A row as text: its name, then each number under its head in HEADS; several types by slashes."""
    return [row["name"], *(_said(row[key]) for key in HEADS if key in row)]


def heads(row: Row) -> list[str]:
    """The heads of such a row."""
    return ["", *(head for key, head in HEADS.items() if key in row)]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    return " / ".join(f"{one:.3f}" for one in value)
