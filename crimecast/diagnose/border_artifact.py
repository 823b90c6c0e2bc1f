"""What zero padding does to the rim: forecasts that are off at the edge, and right inside.

Two things are measured. First the ratio of forecast to fact within two cells of the city's edge beside
that further in, and beside the same ratio of the mixture of memories. Second, where the network takes
maps of any size, the padding's own part: the log rate on that rim as it is, beside that on a map
continued by its mirror image. Counts from 15 % for both, in the same direction, and four standard
errors; high from 40 %. A network that simply doesn't know the map is off at the edge too, since cities
thin out there, and is left in peace. Where the second can't be measured, the first is enough for a
network that knows the map (three quarters of what counting knows), and is medium.
"""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

BORDER, LARGE = 0.15, 0.4
KNOWS = 0.75
MARGIN = 8  # cells by which the map is continued


def judge(case: Case) -> Iterator[Finding]:
    """What padding does to the rim."""
    area = case.subject.area
    depth = distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    edge, inside = area & (depth <= 2), area & (depth > 3)
    if edge.sum() < 10 or inside.sum() < 10:
        return
    own, base = (
        [float(r[..., m].sum() / max(case.counts[..., m].sum(), 1.0)) for m in (edge, inside)]
        for r in (case.rates, case.baseline)
    )
    off = float(np.log(own[0] / own[1]) - np.log(base[0] / base[1]))
    error = 1 / np.sqrt(max(case.counts[..., edge].sum(), 1.0))
    if abs(off) < max(BORDER, 4 * error):
        return
    padding = _padding(case, edge, inside)
    if padding is None and case.skill < KNOWS:
        return
    if padding is not None and (abs(padding) < BORDER or padding * off < 0):
        return
    severe = padding is not None and min(abs(padding), abs(off)) > LARGE
    yield Finding(
        "border_artifact", None, "high" if severe else "medium",
        {"edge": own[0], "inside": own[1], "baseline_edge": base[0], "padding": padding},
        f"At the edge of the city it forecasts {100 * np.expm1(off):+.0f} % more than inside, beside what happened: zero padding reaches into it; use smaller kernels, or give it a position.",
        {"position": 2} if case.is_spec and case.design.position == 0 else {},
    )  # fmt: skip


def _padding(case: Case, edge: np.ndarray, inside: np.ndarray) -> float | None:
    """Change of the log rate at the edge, beside that inside, when the map ends in zeros and not in its
    mirror image; None for a network that takes maps of one size only."""
    batch = case.subject.batch(case.subject.probes(4))
    height, width = case.subject.area.shape
    margin = min(MARGIN, height - 1, width - 1)

    def continued(maps: torch.Tensor) -> torch.Tensor:
        flat = maps.reshape(-1, 1, height, width)
        made = torch.nn.functional.pad(flat, (margin,) * 4, mode="reflect")
        return made.reshape(*maps.shape[:-2], *made.shape[-2:])

    network = case.subject.network
    try:
        with torch.no_grad():
            plain = network(batch.history, batch.calendar, batch.static)
            static = continued(batch.static) if batch.static.numel() else batch.static
            wide = network(continued(batch.history), batch.calendar, static)
    except (RuntimeError, ValueError, IndexError):  # it holds maps of one size
        return None
    if wide.shape[-2:] != (height + 2 * margin, width + 2 * margin):
        return None
    change = (plain - wide[..., margin:-margin, margin:-margin]).numpy()
    return float(change[..., edge].mean() - change[..., inside].mean())
