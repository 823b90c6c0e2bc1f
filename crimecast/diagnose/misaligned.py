"""A forecast that fits the map better when it is turned: mirrored, transposed, or moved by cells.

What the network itself says is turned, on the offset as it stands; counts when that gains 0.0015 an event with the
whole interval over weeks above zero, high from 0.02. Both are given the level and the slope that fit best, so that where
and when alone is compared.
"""

from collections.abc import Callable, Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.scoring import compare

GAINS, MUCH = 0.0015, 0.02
KNOWS = 0.3  # of what the baseline knows, that it has to know when it is turned: else all is noise
CELLS = 2  # by which it is moved, along both axes

Turn = Callable[[np.ndarray], np.ndarray]


def judge(case: Case) -> Iterator[Finding]:
    """How it has to be turned to fit, and what that gains."""
    if case.said[..., case.subject.area].std() < 1e-6:
        return
    best: tuple[float, str, list[float]] = (GAINS, "", [])
    plain = case.sums(case.calibrated(case.rates))
    for name in turns(case.said.shape[-2:]):
        made = case.calibrated(_turned(case, name))
        versus = compare(case.sums(made), plain)
        gains = versus["interval"][0] > 0 and versus["difference"] > best[0]
        if gains and case.knows(made) > KNOWS:
            best = versus["difference"], name, versus["interval"]
    gain, name, interval = best
    if name:
        yield Finding(
            "misaligned", None, "high" if gain > MUCH else "medium",
            {"turned": name, "gain": gain, "interval": interval},
            f"The forecast fits better {name}: an axis is turned or moved on its way through the network. "
            "Look where it flips, transposes, rolls or cuts a map.",
        )  # fmt: skip


def mended(case: Case, finding: Finding) -> np.ndarray:
    """(T, C, H, W) the forecast turned back."""
    return _turned(case, finding.evidence["turned"])


def _turned(case: Case, name: str) -> np.ndarray:
    turn = turns(case.said.shape[-2:])[name]
    log = np.log(np.maximum(case.rates, 1e-12)) - case.said + turn(case.said)
    rates: np.ndarray = np.exp(np.clip(log, -15, 15))
    return rates


def turns(size: tuple[int, ...]) -> dict[str, Turn]:
    """The ways to turn maps (…, H, W), by what they are called."""
    height, width = size
    made: dict[str, Turn] = {
        "mirrored from north to south": lambda x: x[..., ::-1, :],
        "mirrored from east to west": lambda x: x[..., ::-1],
        "turned by half": lambda x: x[..., ::-1, ::-1],
    }
    if height == width:
        made["with rows and columns exchanged"] = lambda x: x.swapaxes(-1, -2)
        made["turned by a quarter"] = lambda x: np.rot90(x, 1, (-2, -1))
        made["turned by a quarter, the other way"] = lambda x: np.rot90(x, -1, (-2, -1))
    for down in range(-CELLS, CELLS + 1):
        for across in range(-CELLS, CELLS + 1):
            if down or across:
                made[_moved(down, across)] = lambda x, d=down, a=across: _shift(x, d, a)  # type: ignore[misc]
    return made


def _moved(down: int, across: int) -> str:
    parts = []
    if down:
        parts.append(f"{abs(down)} cell{'s' * (abs(down) > 1)} {'north' if down > 0 else 'south'}")
    if across:
        parts.append(
            f"{abs(across)} cell{'s' * (abs(across) > 1)} {'east' if across > 0 else 'west'}"
        )
    return "moved " + " and ".join(parts)


def _shift(x: np.ndarray, down: int, across: int) -> np.ndarray:
    """Maps moved, their edges repeated."""
    pad = [(0, 0)] * (x.ndim - 2) + [
        (max(down, 0), max(-down, 0)),
        (max(across, 0), max(-across, 0)),
    ]
    wide = np.pad(x, pad, mode="edge")
    height, width = x.shape[-2:]
    top, left = max(-down, 0), max(-across, 0)
    return wide[..., top : top + height, left : left + width]
