"""Forecasts of steps that haven't come: one step ahead as ever, further ones by simulation.

Counts of the next step are drawn on many paths and fed back for the step after it, so that what is
not known grows with the lead. A network's own further horizons say where the paths' mean must lie.
Beside what the rates say, the city's total varies by what no forecast knows of a day: its share is
measured on the last steps that have come, and drawn for each type and step.
"""

from dataclasses import dataclass, replace

import numpy as np

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.forecasting.forecasts import load_network
from crimecast.forecasting.paths import Paths
from crimecast.forecasting.streams import Average, Stream, baseline_stream
from crimecast.grids.covariates import forecast_path
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.predictive import cdf, of_cells, quantile
from crimecast.runs.run import Run, load_run
from crimecast.sample.truth import TRUTH

PATHS, FEWEST = 100, 20
MOST_STEPS = 60
STATE = 1.5e9  # bytes that may be remembered of all paths
REMEMBERED = 150  # maps a cell, about, of the designs that ship
LEVELS = (0.025, 0.975)  # of every interval
ALL = "all together"


@dataclass(frozen=True)
class Ahead:
    """The forecast of N steps from step `origin` on, of the first `origin` of a grid alone.

    kinds: the C types, and where there are several, ALL of them together. rate, low, high and some (the chance
    of at least one event): (N, K, H, W) float32. mean and dispersion (N, P, K): the city's total on
    each path, see `judging.predictive`.
    """

    name: str
    cube: Cube
    origin: int
    times: np.ndarray
    kinds: tuple[str, ...]
    area: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    some: np.ndarray
    mean: np.ndarray
    dispersion: np.ndarray
    notices: tuple[str, ...] = ()

    def total(self, step: int, kind: int = -1) -> tuple[float, int, int]:
        """Expected events in the city in a step, and their 95 % interval; by default of all types."""
        mean, dispersion = self.mean[step, :, kind], self.dispersion[step, :, kind]
        low, high = (int(quantile(level, mean, dispersion)) for level in LEVELS)
        return float(mean.mean()), low, high

    def chance(self, step: int, count: float, kind: int = -1) -> float:
        """The probability of at most `count` events in the city."""
        return float(cdf(np.array(count), self.mean[step, :, kind], self.dispersion[step, :, kind]))

    def label(self, step: int) -> str:
        """When a step begins, a step that begins at midnight by its date alone."""
        return str(self.times[step])[:16].removesuffix("T00:00")


def ahead(
    name: str, cube: Cube, origin: int, steps: int, reported: np.ndarray | None = None
) -> Ahead:
    """Forecast `steps` steps from step `origin` of a cube on, by what lies before it alone.

    `name` is a run, a baseline, or several joined by `+`. reported: (A, C) the share of their records
    that the last A steps before `origin` have by now; what they lack is drawn on every path, around
    what was expected of them and what has come of it. Raises UserError for a name or a number that
    can't be.
    """
    year = 365.25 / cube.step.days
    most = max(1, min(MOST_STEPS, int(year / 2)))
    if not 1 <= steps <= most:
        raise UserError(f"From 1 to {most} steps can be forecast ahead, not {steps}.")
    if origin < 2:
        raise UserError("Too little has come yet: nothing can be forecast from it.")
    partly = 0 if reported is None else len(reported)
    begin = origin - partly
    if begin < 2:
        raise UserError("Too little has come whole yet: nothing can be forecast from it.")
    come = replace(cube, counts=cube.counts[:begin], times=cube.times[:begin])
    paths = Paths(come, partly + steps)
    if not paths.cells:
        raise UserError("The study area is empty: no cell had an event before the period.")
    streams = [_stream(part.strip(), paths, 0 if partly else steps) for part in name.split("+")]
    stream = streams[0][0] if len(streams) == 1 else Average(paths, [one for one, _ in streams])
    common = set.intersection(*(set(one) for _, one in streams))
    direct = {step: np.mean([one[step] for _, one in streams], axis=0) for step in common}
    notices = tuple(
        dict.fromkeys(note for part in name.split("+") for note in _notices(part, cube))
    )
    shock = _shock(stream, come)
    kinds = cube.types if len(cube.types) == 1 else (*cube.types, ALL)
    made: list[list[np.ndarray]] = [[] for _ in range(6)]
    for step in range(partly + steps):
        rates = stream.rates(begin + step)
        if step + 1 in direct:
            at = direct[step + 1]
            rates = rates * (at / np.maximum(rates.mean(axis=0), 1e-12))
        if step >= partly:
            said = _said(rates, stream.dispersion, shock)
            for part, one in zip(made, said, strict=True):
                part.append(one)
        if step + 1 == partly + steps:
            break
        if step == 0:
            count = _count(paths)
            rates = np.broadcast_to(rates, (count, *rates.shape[1:]))
            stream.fan(count)
            paths.count = count
        varies, share, seen = (stream.dispersion, shock), np.zeros(paths.kinds), None
        if reported is not None and step < partly:
            share, seen = reported[step], cube.counts[begin + step][:, paths.area]
        paths.drawn.append(_draw(rates, *varies, paths, begin + step, share, seen))
    rate, low, high, some = (paths.on_map(np.stack(part)) for part in made[:4])
    mean, dispersion = (_even(part) for part in made[4:])
    times = paths.times[origin:]
    if partly:
        notices = (*notices, _partly(paths, reported))
    return Ahead(
        name, cube, origin, times, kinds, paths.area, rate, low, high, some, mean, dispersion, notices
    )  # fmt: skip


def of_known(made: Ahead, first: int, known: np.ndarray) -> Ahead:
    """A forecast with that of the steps [first, origin) before it: `known` (T, C, H, W) rates, made one
    step ahead each."""
    nothing = np.zeros(known.shape[1])
    parts = [_said(one[None][..., made.area].astype(np.float64), nothing, nothing) for one in known]
    maps = []
    for i, field in enumerate(("rate", "low", "high", "some")):
        own = np.zeros((len(known), *getattr(made, field).shape[1:]), dtype=np.float32)
        own[..., made.area] = np.stack([part[i] for part in parts])
        maps.append(np.concatenate([own, getattr(made, field)]))
    of_city = []
    for i, further in ((4, made.mean), (5, made.dispersion)):
        own = np.stack([part[i] for part in parts])
        wide = np.broadcast_to(own, (len(own), *further.shape[1:]))
        of_city.append(np.concatenate([wide, further]))
    rate, low, high, some = maps
    mean, dispersion = of_city
    times = np.concatenate([made.cube.times[first : made.origin], made.times])
    return replace(
        made, times=times, rate=rate, low=low, high=high, some=some, mean=mean,
        dispersion=dispersion,
    )  # fmt: skip


def _stream(name: str, paths: Paths, steps: int) -> tuple[Stream, dict[int, np.ndarray]]:
    """The stream of one name, and what a network's further horizons say: by how many steps ahead."""
    if name in BASELINES:
        return baseline_stream(name, paths), {}
    if name == TRUTH:
        raise UserError("The true rates are known only for days that were simulated.")
    if "@" in name:
        base = name.partition("@")[0]
        raise UserError(
            f"Steps to come are each forecast as far ahead as they lie: ask for {base}."
        )
    run = load_run(name)
    network, note = _network(run, paths.cube)
    # Imported here: it needs torch, which takes its time.
    from crimecast.forecasting.network_stream import NetworkStream

    own, cube, scaling = load_cube(run.grid), paths.cube, note["scaling"]
    at_home = (own.city, own.cell, own.counts.shape[1:]) == (
        cube.city, cube.cell, cube.counts.shape[1:],
    )  # fmt: skip
    lead, *further = run.design.horizons
    if paths.come <= max(run.design.lags) + run.design.horizons[-1]:
        raise UserError(
            f"{name} looks {max(run.design.lags)} steps back, further than the records."
        )
    direct = {}
    for horizon in further:
        if horizon <= steps:
            one = NetworkStream(paths, run.design, network, scaling, at_home, horizon)
            *_, direct[horizon] = (one.rates(paths.come + step)[0] for step in range(horizon))
    return NetworkStream(paths, run.design, network, scaling, at_home, lead), direct


def _network(run: Run, cube: Cube) -> tuple:
    if not (run.folder / "network.safetensors").exists():
        raise UserError(
            f"{run.id} is {run.state} and has no network yet; wait for it or resume it."
        )
    return load_network(run, cube)


def _notices(name: str, cube: Cube) -> list[str]:
    if name.strip() in BASELINES:
        return []
    from crimecast.training.contract import warnings_of  # brings torch

    run = load_run(name.strip())
    told = [one for one in run.design.static if forecast_path(cube.city, one).exists()]
    last = [one for one in run.design.static if one not in told]
    made = list(warnings_of(run.folder))
    made += [f"Of {', '.join(last)} the last values known were taken."] if last else []
    if told:
        made.append(
            f"Of {', '.join(told)} the forecast was taken as far as it reaches, then its last value."
        )
    return made


def _count(paths: Paths) -> int:
    """How many paths: fewer where all of them would not fit."""
    one = REMEMBERED * paths.kinds * paths.cells * 4
    return int(np.clip(STATE // one, FEWEST, PATHS))


def _shock(stream: Stream, come: Cube) -> np.ndarray:
    """(C,) relative variance of the city's totals beyond that of counts whose rates are known: by the
    moments Σ((n − m)² − m) / Σ m² of the last steps."""
    told = stream.past
    since = stream.paths.come - len(told)
    seen = come.counts[since:][..., stream.paths.area].sum(axis=2, dtype=np.float64)
    over = ((seen - told) ** 2 - told).sum(axis=0) / np.maximum((told**2).sum(axis=0), 1e-9)
    return np.clip(over, 0.0, 1.0)


def _draw(
    rates: np.ndarray, dispersion: np.ndarray, shock: np.ndarray, paths: Paths, step: int,
    share: np.ndarray, seen: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """(P, C, N) float32 counts; the same for the same rates of the same step of time.

    Of a step of which the `share` (C,) was reported, `seen` (C, N) is kept and the rest drawn: what a
    count varies by is gamma, and so it is given what was seen of it.
    """
    number = int(paths.cube.step.number(paths.times[step : step + 1])[0])
    rng = np.random.default_rng([0, number + 2**40])
    come = np.zeros(rates.shape[1:]) if seen is None else seen
    drawn = np.array(rates)
    for c, (own, common) in enumerate(zip(dispersion, shock, strict=True)):
        if common > 0:
            told = share[c] * drawn[:, c].sum(axis=1, keepdims=True)
            drawn[:, c] *= _gamma(rng, common, come[c].sum(), told)
        if own > 0:
            drawn[:, c] *= _gamma(rng, own, come[c], share[c] * drawn[:, c])
    return (come + rng.poisson(drawn * (1 - share)[:, None])).astype(np.float32)


def _gamma(
    rng: np.random.Generator, variance: float, seen: np.ndarray, told: np.ndarray
) -> np.ndarray:
    """Draws of a factor of mean 1 and that variance, given `seen` events where `told` were expected."""
    return rng.gamma(1 / variance + seen, 1 / (1 / variance + told), size=told.shape)


def _partly(paths: Paths, reported: np.ndarray | None) -> str:
    assert reported is not None
    first = str(paths.times[paths.come])[:10]
    return (
        f"From {first} on records are still coming ({reported.min():.0%} to {reported.max():.0%} have): "
        "what is missing was added as it usually comes."
    )


def _said(rates: np.ndarray, dispersion: np.ndarray, shock: np.ndarray) -> tuple[np.ndarray, ...]:
    """rate, low, high, some (K, N) and the totals' mean and dispersion (P, K) of one step."""
    own = (1 + dispersion) * (1 + shock) - 1  # of a cell
    each = np.broadcast_to(own[:, None], rates.shape)
    total = rates.sum(axis=2)
    square = (rates**2).sum(axis=2)
    of_total = (dispersion * (1 + shock) * square + shock * total**2) / np.maximum(
        total, 1e-12
    ) ** 2
    if rates.shape[1] > 1:
        rates, each = _with_sum(rates, each)
        total, of_total = (
            part[..., 0] for part in _with_sum(total[..., None], of_total[..., None])
        )
    some, (low, high) = of_cells(rates, each, LEVELS)
    return rates.mean(axis=0), low, high, some, total, of_total


def _with_sum(mean: np.ndarray, dispersion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The types (P, C, N) and their sum as a further one, with the dispersion that its variance has."""
    whole = mean.sum(axis=1, keepdims=True)
    of_whole = (dispersion * mean**2).sum(axis=1, keepdims=True) / np.maximum(whole, 1e-12) ** 2
    return np.concatenate([mean, whole], axis=1), np.concatenate([dispersion, of_whole], axis=1)


def _even(parts: list[np.ndarray]) -> np.ndarray:
    """Steps (P or 1, K) → (N, P, K): the first step has one path, for all."""
    most = max(len(part) for part in parts)
    return np.stack([np.broadcast_to(part, (most, part.shape[1])) for part in parts])
