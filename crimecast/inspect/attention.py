"""What a network attends to: the weights of every softmax in a forward pass, as maps where they are of places.

Seen are the operations of torch's core, so it doesn't matter whether a layer is `lag_attention`,
`nn.MultiheadAttention`, `scaled_dot_product_attention` or written by hand. Of a fused operation,
which keeps no weights, they are worked out again from its queries and keys: softmax(q kᵀ s + m)
(Vaswani et al. 2017, NeurIPS). Which entries stand for which places is proven as for every layer, by
what moves with the inputs (`networks/moved.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from crimecast.inspect.specimen import Specimen
from crimecast.networks.axes import Axes
from crimecast.networks.calls import ROOT, watched
from crimecast.networks.moved import axes_of
from crimecast.networks.tape import Watching

SOFTMAX = ("_softmax", "_safe_softmax")
FUSED = "_scaled_dot_product"
MOST = 50_000_000  # weights of one softmax that are looked at
ITSELF = "the network itself"


@dataclass(frozen=True)
class Attention:
    """The weights of one softmax for one step, (…, K) with each row summing to one; `asking` are the axes of
    the rows, `keys` those of what is weighed, (1, K)."""

    name: str
    weights: Tensor
    asking: Axes
    keys: Axes

    @property
    def of_places(self) -> bool:
        """Whether each place weighs places."""
        return self._by_cell and self.keys.is_map and self.keys.proven

    @property
    def _by_cell(self) -> bool:
        return self.asking.is_map and self.asking.proven

    def by_key(self) -> np.ndarray | None:
        """(K, H, W) the weight that each cell gives each key, the mean over heads and the like; None where
        the rows aren't proven to be cells."""
        return self._by_key

    @cached_property
    def _by_key(self) -> np.ndarray | None:
        if not self._by_cell:
            return None
        maps = []
        for key in range(self.weights.shape[-1]):
            by_step = self.asking.sequence(self.weights[..., key])[0]
            # Of a sequence its last asks; heads that lie in the batch's axis all count.
            one = by_step[-1] if self.asking.steps is not None else by_step.mean(0)
            maps.append(one.mean(0))
        return torch.stack(maps).numpy()

    def from_cell(self, cell: tuple[int, int], shape: tuple[int, int]) -> np.ndarray | None:
        """(H, W) what the cell of a map of `shape` attends to, the mean over heads; None unless places weigh
        places."""
        whole = self.by_key() if self.of_places else None
        if whole is None:
            return None
        height, width = whole.shape[1:]
        row, column = cell[0] * height // shape[0], cell[1] * width // shape[1]
        return self.keys.maps(torch.from_numpy(whole[None, :, row, column]))[0, 0].numpy()

    def table(self) -> np.ndarray:
        """(Q, K) the weights, the mean over whatever lies before the last axis of the rows."""
        rows = self.weights.shape[-2] if self.weights.dim() > 1 else 1
        return self.weights.reshape(-1, rows, self.weights.shape[-1]).mean(0).numpy()


@torch.no_grad()
def attentions(one: Specimen, step: int) -> list[Attention]:
    """All softmaxes of the forecast of one step, in the order in which they are computed.

    Raises UserError for a step that can't be forecast.
    """
    batch = one.batch([step])
    seen = _softmaxes(one.network, one.layers, batch.history, batch.calendar, batch.static)
    if not seen:
        return []
    axes = axes_of(one.network, one.layers, one.example(), outputs=_moving)
    none = Axes(None, None, ())
    return [
        Attention(name, weights, axes.get(f"asking {name}", none), axes.get(f"keys {name}", none))
        for name, weights in seen.items()
    ]


def _moving(network: nn.Module, modules: dict[str, nn.Module], *inputs: Tensor) -> dict[str, Tensor]:  # fmt: skip
    """Of each softmax two tensors that move with its rows alone, and with its keys alone."""
    batch = inputs[0].shape[0]
    made = {}
    for name, weights in _softmaxes(network, modules, *inputs).items():
        made[f"asking {name}"] = weights.square().sum(-1)
        if weights.shape[0] % batch == 0:
            made[f"keys {name}"] = weights.reshape(batch, -1, weights.shape[-1]).mean(1)
    return made


def _softmaxes(network: nn.Module, modules: dict[str, nn.Module], *inputs: Tensor) -> dict[str, Tensor]:  # fmt: skip
    """The weights of each softmax of a pass, keys last, by the layer it is in and its number there."""
    running, found = [ITSELF], dict[str, Tensor]()

    def enter(name: str, _args: object, _kwargs: object) -> None:
        running.append(name or ITSELF)

    def leave(_name: str, _output: object) -> None:
        running.pop()

    def note(weights: Tensor) -> None:
        name, number = running[-1], 1
        while (label := name if number == 1 else f"{name} ({number})") in found:
            number += 1
        # Heads may lie in the batch's axis, inside of cells that lie there too.
        cells = inputs[0].shape[0] * inputs[0].shape[-2:].numel()
        inside = weights.shape[0] > cells and weights.shape[0] % cells == 0
        found[label] = weights.unflatten(0, (cells, -1)) if inside else weights

    network.eval()
    with watched({ROOT: network, **modules}, enter, leave), _Softmaxes(note):
        network(*inputs)
    return found


class _Softmaxes(Watching):
    """Hands each softmax's weights on, the axis that sums to one last."""

    def __init__(self, note: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.note = note

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        output = func(*args, **given)
        name = func.__name__.partition(".")[0]
        if name in SOFTMAX and output.dim() and output.numel() <= MOST:
            self.note(output.detach().float().movedim(args[1], -1).clone())
        elif name.startswith(FUSED) and (weights := _of_fused(func, args, given)) is not None:
            self.note(weights)
        return output


def _of_fused(func: Any, args: Any, kwargs: dict[str, Any]) -> Tensor | None:
    names = [argument.name for argument in func._schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    query, key = given["query"].float(), given["key"].float()
    if query.shape[:-1].numel() * key.shape[-2] > MOST:
        return None
    score = query @ key.transpose(-2, -1) * (given.get("scale") or query.shape[-1] ** -0.5)
    mask = given.get("attn_mask", given.get("attn_bias"))
    if mask is not None:
        score = score.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else score + mask
    if given.get("is_causal"):
        score = score.masked_fill(torch.ones_like(score, dtype=torch.bool).triu(1), -torch.inf)
    return torch.softmax(score, dim=-1)
