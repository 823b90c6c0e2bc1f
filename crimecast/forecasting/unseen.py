"""How a network does on what it has not seen: later time, places left out, another city, a break."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from crimecast.forecasting.forecasts import at_horizon, rates
from crimecast.grids.complete import complete_steps
from crimecast.grids.cube import Cube, left_out_blocks, load_cube
from crimecast.judging.breakdown import Judged
from crimecast.judging.scoring import compare, step_sums
from crimecast.runs.run import Run, list_runs, load_run

RIVAL = "memory_mixture"  # what every gain is measured against, fitted to the same city's own past
ELSEWHERE_SHARE = 0.2  # of another city's steps, the latest, on which networks are tried there


@dataclass(frozen=True)
class Trial:
    """One kind of unseen data: steps [first, last) and cells (H, W) of a cube, and what it means."""

    name: str
    meaning: str
    cube: Cube
    first: int
    last: int
    cells: np.ndarray


def trials(run: Run, away: str | None = None, when: int | None = None) -> list[Trial]:
    """The trials that a run's grid allows.

    away: another city's grid; when: a step within the unseen period after which things changed.
    Places left out are those that any run of the grid left out.
    """
    cube = load_cube(run.grid)
    first, last = unseen_period(run)
    area = cube.area(first)
    made = [
        Trial("later time", f"from {_day(cube, first)} on, the whole city", cube, first, last, area)
    ]
    share = max((r.settings.left_out for r in list_runs(run.grid)), default=0.0)
    if share:
        blocks = left_out_blocks(run.area(cube), share) & area
        made.append(
            Trial(
                "left-out places",
                f"the same time, {share:.0%} of the city in blocks",
                cube,
                first,
                last,
                blocks,
            )
        )
    if when is not None and first < when < last:
        made.append(Trial("before the break", f"until {_day(cube, when)}", cube, first, when, area))
        made.append(Trial("after the break", f"from {_day(cube, when)} on", cube, when, last, area))
    if away is not None:
        other = load_cube(away)
        end = complete_steps(other)
        shown = [int(end * (1 - ELSEWHERE_SHARE))]
        shown += [r.settings.validate for r in tuned(run, away)]
        start = min(max(shown), end - 1)
        meaning = f"{other.city}, from {_day(other, start)} on, which the network never saw"
        made.append(Trial("another city", meaning, other, start, end, other.area(start)))
    return made


def tuned(run: Run, away: str) -> list[Run]:
    """The runs that went on from a run's weights on another city's grid: its fine-tuned forms there."""
    return [
        other
        for other in list_runs(away)
        if other.state == "done" and other.settings.start_from == run.id
    ]


def unseen_period(run: Run) -> tuple[int, int]:
    """Steps [first, last) after the run's validation period; the validation period if none are left.

    Steps at the end that the records don't cover whole are left out.
    """
    settings, last = run.settings, complete_steps(load_cube(run.grid))
    if settings.validate < last:
        return settings.validate, last
    return settings.train, max(last, settings.train + 1)


def rival(name: str) -> str:
    """The rival of a run, as many steps ahead as the run."""
    base, horizon = at_horizon(name)
    return f"{RIVAL}@{horizon or load_run(base).design.horizon}"


def gain(name: str, trial: Trial) -> dict[str, Any]:
    """A forecast's gain on the rival in log-likelihood per event, with interval and verdict."""
    counts = trial.cube.counts[trial.first : trial.last]
    times = trial.cube.times[trial.first : trial.last]
    one, other = (
        step_sums(counts, rates(n, trial.cube, trial.first, trial.last), trial.cells, times)
        for n in (name, rival(name))
    )
    return compare(one, other)


def gain_map(name: str, trial: Trial) -> np.ndarray:
    """(H, W) log-likelihood that each cell gained on the rival over the trial; NaN beyond its cells."""
    made = [rates(n, trial.cube, trial.first, trial.last) for n in (name, rival(name))]
    judged = Judged.of(trial.cube, trial.first, trial.last, *made)
    result = np.full(judged.area.shape, np.nan)
    result[judged.area] = judged.gain.sum(axis=(0, 1))
    return np.where(trial.cells, result, np.nan)


def find_break(run: Run) -> int:
    """The step of the unseen period at which the city's level changed most against the rival's.

    The split with the largest likelihood ratio of two Poisson levels against one.
    """
    cube = load_cube(run.grid)
    first, last = unseen_period(run)
    area = cube.area(first)
    seen = cube.counts[first:last][..., area].sum(axis=(1, 2), dtype=np.float64)
    told = rates(RIVAL, cube, first, last)[..., area].sum(axis=(1, 2), dtype=np.float64)
    n, m = np.cumsum(seen), np.cumsum(told)
    margin = max(1, len(seen) // 10)
    at = np.arange(margin, len(seen) - margin)
    if len(at) == 0:
        return first

    def fit(events: np.ndarray, expected: np.ndarray) -> np.ndarray:
        return events * np.log(np.maximum(events, 1e-9) / np.maximum(expected, 1e-9))

    ratio = fit(n[at - 1], m[at - 1]) + fit(n[-1] - n[at - 1], m[-1] - m[at - 1])
    return first + int(at[np.argmax(ratio)])


def verdict(table: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Run → trial → gain, in one sentence: which design generalises.

    The one whose worst gain over all trials it has in common with the others is the largest.
    """
    shared = set.intersection(*(set(row) for row in table.values())) if table else set()
    if not shared:
        return "There is nothing to compare yet."
    best = max(table, key=lambda name: min(table[name][trial]["difference"] for trial in shared))
    words: dict[str, list[str]] = {}
    for trial, pair in table[best].items():
        words.setdefault(pair["verdict"], []).append(trial)
    parts = [
        f"{word} on {', '.join(words[key])}"
        for key, word in (
            ("better", "better than weighted pasts"),
            ("not to be told apart", "not to be told apart from weighted pasts"),
            ("worse", "worse than weighted pasts"),
        )
        if key in words
    ]
    if len(table) == 1:  # nothing to be the best of
        return f"{best} is {'; '.join(parts)}."
    held = [pair["verdict"] for pair in table[best].values()]
    if "better" not in held:  # the best of those that aren't good is no praise
        return f"None is better than weighted pasts; {best} comes closest: {'; '.join(parts)}."
    return f"{best} generalises best: {'; '.join(parts)}."


def _day(cube: Cube, step: int) -> str:
    return str(cube.times[step])[:10]
