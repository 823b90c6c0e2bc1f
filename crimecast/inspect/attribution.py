"""Why this forecast in this cell: how much each input moved it, by Captum's methods.

All speak of the cell's log rate beyond its offset, so 0.1 means "10 % more".
"""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients
from torch import Tensor

from crimecast import UserError
from crimecast.inspect.cells import check_cell, check_kind
from crimecast.inspect.differentiating import differentiating
from crimecast.inspect.specimen import Specimen

METHODS = ("integrated_gradients", "gradient_x_input", "occlusion")
STEPS = 64  # points along the path of integrated gradients


@dataclass(frozen=True)
class Attribution:
    """`history` (L·C, H, W) and `static` (S, H, W): what each input of each cell added to the log
    rate. `error` is what they don't add up to: the forecast's change from the empty input, minus
    their sum (zero for an exact method; not defined for the other two methods, and nan there)."""

    method: str
    history: np.ndarray
    static: np.ndarray
    change: float
    error: float


def attribute(
    subject: Specimen, step: int, cell: tuple[int, int], kind: int = 0,
    method: str = "integrated_gradients",
) -> Attribution:  # fmt: skip
    """How the inputs of a step moved the log rate of a cell (row, column) and type.

    Integrated gradients (Sundararajan, Taly & Yan 2017, ICML) and occlusion start from no events and
    average maps (zeros, since maps are standardised); occlusion blanks one lag or map at a time over
    the whole city (Zeiler & Fergus 2014, ECCV), so its maps are spread evenly over the cells that changed
    the forecast; gradient × input: Shrikumar et al. 2016 (arXiv 1605.01713). Raises UserError for a step
    that can't be forecast, for a cell or a type that there isn't, and where there is no gradient.
    """
    if method not in METHODS:
        raise UserError(
            f"'{method[:40]}' is no method of attribution; there are {', '.join(METHODS)}."
        )
    batch = subject.batch([step])
    check_cell(cell, *batch.history.shape[-2:])
    check_kind(kind, batch.target.shape[1])
    inputs = (batch.history, batch.static)

    def forward(history: Tensor, static: Tensor) -> Tensor:
        calendar = batch.calendar.expand(len(history), -1)
        made = subject.network(history, calendar, static).float()[:, kind, cell[0], cell[1]]
        unused = 0.0 * (history.sum() + static.sum())  # a module needn't use both
        return made + unused

    empty = tuple(torch.zeros_like(x) for x in inputs)
    with torch.no_grad():
        change = float(forward(*inputs) - forward(*empty))
    error = float("nan")
    with differentiating():
        if not batch.static.numel():
            # Captum needs something to attribute to: a design without maps has only its frames.
            def history_only(history: Tensor) -> Tensor:
                return forward(history, batch.static.expand(len(history), *batch.static.shape[1:]))

            parts = _run(method, history_only, (batch.history,), (empty[0],))
            parts = (*parts, torch.zeros_like(batch.static))
        else:
            parts = _run(method, forward, inputs, empty)
    if method == "integrated_gradients":
        error = change - sum(float(part.double().sum()) for part in parts)
    history, static = (part[0].detach().flatten(0, -3).numpy() for part in parts)
    return Attribution(method, history, static, change, error)


def _run(
    method: str, forward: object, inputs: tuple[Tensor, ...], empty: tuple[Tensor, ...]
) -> tuple:
    if method == "integrated_gradients":
        return IntegratedGradients(forward).attribute(
            inputs, empty, n_steps=STEPS, internal_batch_size=8
        )
    if method == "gradient_x_input":
        return InputXGradient(forward).attribute(inputs)
    groups, first = [], 0
    for x in inputs:  # every lag and every map is one feature
        channels = x[0].flatten(0, -3).shape[0]
        index = torch.arange(first, first + channels).view(*x.shape[1:-2], 1, 1)
        groups.append(index.expand(x.shape[1:])[None])
        first += channels
    with torch.no_grad():
        made = FeatureAblation(forward).attribute(
            inputs, empty, feature_mask=tuple(groups), perturbations_per_eval=8
        )
    return tuple(part / (part.shape[-2] * part.shape[-1]) for part in made)
