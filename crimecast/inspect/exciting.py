"""An input made to excite a unit most, as likely as what the network is really given.

Real inputs vary more in some directions than in others: neighbouring cells together, memories with what
they remember, counts never below none. Without that the answer is noise that no city ever shows.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crimecast import UserError
from crimecast.inspect.specimen import Specimen
from crimecast.networks.calls import ROOT, Counter, Outputs, first_tensor, split, watched

AROUND = 4  # cells on each side of the unit's that may differ
DEVIATIONS = 3.0  # how far from the mean, in standard deviations along the way that excites most
OWN = 10.0  # steps of the area's mean variance beside a cell's own
PATCHES, ROUNDS, STARTS = 3000, 12, 3


@dataclass(frozen=True)
class Exciting:
    """`mean` and `made` (K, h, w): what the K = L·C + S input channels are on average around a unit's cell
    and in the made input, from row and column `corner` on; `spread` (K,) their standard deviations
    over time. `value` is the unit's for the made input, `average` for the mean one, `real` (T,) for
    the steps that were looked at."""

    mean: np.ndarray
    made: np.ndarray
    spread: np.ndarray
    corner: tuple[int, int]
    value: float
    average: float
    real: np.ndarray


def excite(
    one: Specimen, layer: str, channel: int, cell: tuple[int, int], steps: list[int], seed: int = 0
) -> Exciting:
    """What excites channel `channel` of a layer at a cell (row, column of its maps) most.

    Inputs within `AROUND` cells deviate from their mean over `steps` by d with dᵀ Σ⁻¹ d ≤ 9, where Σ is
    the covariance of real deviations: as they go together in windows of that size all over the area, as
    large as they are in this one (with `OWN` steps of the area's mean, since some cells hardly vary); elsewhere they are at
    their mean, counts stay above none, and the calendar is that of the real step that excites it most. The value is maximised by Frank and Wolfe's steps (1956,
    Naval Research Logistics 3), d ← 3 Σ g / √(gᵀ Σ g) for the gradient g, from the mean and from the
    real deviations that excite it most. For a linear unit that is its activation pattern Σ w (Haufe et
    al. 2014, NeuroImage 87). Raises UserError for an unknown layer, one that is no map, or a unit that no small change of the inputs moves.
    """
    batch = one.batch(steps)
    frames = batch.history.shape[1:]
    inputs = torch.cat([batch.history.flatten(1, 2), batch.static], dim=1).float()
    counted, mean = frames[0] * frames[1], inputs.mean(dim=0)

    def maps(x: Tensor, dates: Tensor) -> Tensor:
        return _maps(one, layer, x.split([counted, len(mean) - counted], dim=1), dates, frames)

    with torch.no_grad():
        seen = maps(mean[None], batch.calendar[:1]).shape[1:]
    if not all(0 <= at < size for at, size in zip((channel, *cell), seen, strict=True)):
        raise UserError(f"'{layer}' gives {seen[0]} maps of {seen[1]} × {seen[2]} cells.")
    centre = [
        int((at + 0.5) * size / own)
        for at, size, own in zip(cell, mean.shape[1:], seen[1:], strict=True)
    ]
    window = tuple(
        slice(max(0, at - AROUND), min(size, at + AROUND + 1))
        for at, size in zip(centre, mean.shape[1:], strict=True)
    )
    rows, columns = window
    deviations = inputs - mean
    inside = torch.from_numpy(one.area)
    spread = deviations[..., inside].square().mean(dim=(0, 2)).sqrt()
    steady = OWN * spread.square()[:, None, None]
    sizes = ((deviations.square().sum(dim=0) + steady) / (len(inputs) + OWN)).sqrt()
    alike = torch.where(sizes > 0, deviations / sizes, 0.0)
    own_size = sizes[:, rows, columns].reshape(-1)
    patches = own_size * _patches(alike, rows, columns, one.area, seed)

    def put(d: Tensor) -> Tensor:
        """(K, H, W) the mean with deviations d (K·h·w,) in the window."""
        whole = mean.clone()
        whole[:, rows, columns] += d.view(len(mean), rows.stop - rows.start, -1)
        return torch.cat([whole[:counted].clamp(min=0.0), whole[counted:]])

    def value(whole: Tensor, dates: Tensor) -> Tensor:
        return maps(whole[None], dates[None])[0, channel, cell[0], cell[1]]

    def slope(d: Tensor) -> Tensor:
        d = d.detach().requires_grad_()
        with torch.enable_grad():
            made = value(put(d), calendar)
            if not made.requires_grad:
                return torch.zeros_like(d)
            (g,) = torch.autograd.grad(made, d, allow_unused=True)
        return torch.zeros_like(d) if g is None else g

    with torch.no_grad():
        real = torch.stack(
            [value(x, dates) for x, dates in zip(inputs, batch.calendar, strict=True)]
        ).numpy()
        calendar = batch.calendar[int(real.argmax())]
        average = float(value(mean, calendar))
    own = [deviations[k, :, rows, columns].reshape(-1) for k in np.argsort(-real)[:STARTS]]
    best, reached, moved = torch.zeros(patches.shape[1]), average, False
    for d in (best, *own):
        for _ in range(ROUNDS):
            g = slope(d)
            along = patches @ g
            wide = float(along.square().mean().sqrt())
            if not wide > 0:
                break
            moved = True
            d = DEVIATIONS * (patches.T @ along) / (len(patches) * wide)
            with torch.no_grad():
                now = float(value(put(d), calendar))
            if now > reached:
                best, reached = d, now
    if not moved:
        raise UserError(
            f"No small change of the inputs moves channel {channel} of '{layer}' at this cell: it is shut there, or rounds what it is given "
            "(as an embedding of whole numbers does)."
        )
    return Exciting(
        mean[:, rows, columns].numpy(), put(best)[:, rows, columns].numpy(), spread.numpy(),
        (rows.start, columns.start), reached, average, real,
    )  # fmt: skip


def _maps(
    one: Specimen, layer: str, inputs: tuple[Tensor, ...], calendar: Tensor, frames: torch.Size
) -> Tensor:
    """(B, channels, h, w) what a layer gives, with its gradient."""
    module = split(layer)[0] if layer not in one.layers else layer
    if module not in one.layers:
        raise UserError(f"There is no layer '{layer}'; the layers are {', '.join(one.layers)}.")
    counter, outputs = Counter(), Outputs()
    running: list[int] = []

    def enter(name: str, _args: object, _kwargs: object) -> None:
        number = counter.begin(name)
        if name != ROOT:
            running.append(number)

    def leave(name: str, output: object) -> None:
        tensor = first_tensor(output)
        if name != ROOT and tensor is not None:
            # A user's own module may change it in place afterwards.
            outputs.put(name, running.pop(), tensor.clone())

    past, static = inputs
    with watched({ROOT: one.network, module: one.layers[module]}, enter, leave):
        one.network(past.reshape(-1, *frames), calendar, static)
    if layer not in outputs:
        raise UserError(
            f"The forward pass has no one call '{layer}': {', '.join(outputs) or 'it uses none'}."
        )
    made = one.maps(layer, outputs[layer])
    if made.is_complex() or made.dim() != 4:
        raise UserError(f"What '{layer}' gives is no map of numbers.")
    return made


def _patches(
    deviations: Tensor, rows: slice, columns: slice, area: np.ndarray, seed: int
) -> Tensor:
    """(n, K·h·w) real deviations in windows of that size whose middle lies in the area."""
    height, width = rows.stop - rows.start, columns.stop - columns.start
    top, left = deviations.shape[-2] - height + 1, deviations.shape[-1] - width + 1
    inside = area[height // 2 :, width // 2 :][:top, :left]
    at = np.argwhere(inside if inside.any() else np.ones((top, left), dtype=bool))
    rng = np.random.default_rng(seed)
    count = min(PATCHES, len(at) * len(deviations))
    step, place = rng.integers(len(deviations), size=count), at[rng.integers(len(at), size=count)]
    return torch.stack(
        [
            deviations[t, :, y : y + height, x : x + width].reshape(-1)
            for t, (y, x) in zip(step, place, strict=True)
        ]
    )
