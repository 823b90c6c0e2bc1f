"""One forward pass written down: every operation with what it took, and which places it mixed.

Works on any network, a user's own included, since it watches torch's functions rather than modules.
Each record knows, for every row (and column) of its output, the rows of each input that it was
made from; `receptive.py` follows these backwards.

By convention the statistics of a normalisation over the map don't count as seeing the whole map.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# (outputs, taps): the indices of the input that each index of the output is made from; those outside
# the input (padding, or none at all) don't count.
Taps = np.ndarray

# Operations whose output has other axes than their input: which, is found by sending indices through.
MOVING = {
    "permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "view", "reshape", "flatten",
    "unflatten", "expand", "expand_as", "squeeze", "unsqueeze", "chunk", "split", "unbind", "select",
    "narrow", "__getitem__", "cat", "concat", "concatenate", "stack", "flip", "roll", "repeat",
    "repeat_interleave", "index_select", "contiguous", "clone", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "tile", "T", "mT", "view_as", "reshape_as", "broadcast_to", "tensor_split",
}  # fmt: skip
REDUCING = {
    "mean", "sum", "amax", "amin", "max", "min", "std", "var", "norm", "prod", "logsumexp", "any",
    "all", "median",
}  # fmt: skip
NORMALISING = {"group_norm", "batch_norm", "instance_norm", "layer_norm", "local_response_norm"}
MIXING = {
    "matmul", "bmm", "mm", "einsum", "__matmul__", "linear", "scaled_dot_product_attention",
    "multi_head_attention_forward", "rnn", "lstm", "gru", "fft2", "rfft2", "ifft2", "irfft2", "fftn",
    "unfold", "fold", "grid_sample", "tensordot", "baddbmm", "addmm", "conv1d",
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """An operation: its name, the layer it ran in, its inputs' numbers with the taps of rows and
    columns, and the output's shape with the places of its row and column axes (None: no map left)."""

    name: str
    layer: str
    inputs: tuple[int, ...]
    rows: tuple[Taps, ...]
    columns: tuple[Taps, ...]
    shape: tuple[int, ...]
    axes: tuple[int, int] | None


class Tape(TorchFunctionMode):
    """Writes down what happens while it is entered; `inputs` are the maps to follow, by name."""

    def __init__(self, inputs: dict[str, Tensor]) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.number: dict[int, int] = {}
        self.alive: list[Tensor] = []  # a tensor's id is its own only while it lives
        self.stack: list[str] = []
        self.outputs: dict[str, list[int]] = {}
        for name, tensor in inputs.items():
            axes = (tensor.dim() - 2, tensor.dim() - 1) if tensor.dim() >= 4 else None
            self._write(tensor, Record(name, "", (), (), (), tuple(tensor.shape), axes))

    def _write(self, tensor: Tensor, record: Record) -> None:
        self.number[id(tensor)] = len(self.records)
        self.alive.append(tensor)
        self.records.append(record)

    def of(self, tensor: Tensor) -> int | None:
        """The number of the record that made a tensor, None for a constant or a parameter."""
        return self.number.get(id(tensor))

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", str(func))
        taken = [t for t in _tensors((args, kwargs)) if id(t) in self.number]
        out = func(*args, **kwargs)
        if name == "__setitem__" and isinstance(args[0], Tensor):
            new = list({id(t): t for t in taken}.values())
            if new:
                self._record(name, func, args, kwargs, new, args[0])
            return out
        if taken and name != "__get__":
            unique = list({id(t): t for t in taken}.values())
            for tensor in _tensors(out):
                if (tensor.is_floating_point() and id(tensor) not in {id(t) for t in unique}) or (
                    name.endswith("_") and not name.endswith("__")
                ):
                    self._record(name, func, args, kwargs, unique, tensor)
        return out

    def _record(
        self, name: str, func: Any, args: Any, kwargs: Any, taken: list[Tensor], out: Tensor
    ) -> None:
        numbers = tuple(self.number[id(t)] for t in taken)
        before = [self.records[n] for n in numbers]
        plain = name.rstrip("_") if not name.startswith("__") else name
        axes, rows, columns = _taps(plain, func, args, kwargs, taken, before, out)
        layer = self.stack[-1] if self.stack else ""
        shape = tuple(out.shape)
        self._write(out, Record(plain, layer, numbers, tuple(rows), tuple(columns), shape, axes))

    def _claim(self, layer: str, tensor: Tensor) -> int:
        """The number of a layer's output: its own record, even if it passed its input on untouched (a
        dropout that is off) or made something of its weights alone."""
        number = self.of(tensor)
        if number is None:
            axes = (tensor.dim() - 2, tensor.dim() - 1) if tensor.dim() >= 3 else None
            self._write(tensor, Record("weights", layer, (), (), (), tuple(tensor.shape), axes))
        elif self.records[number].layer != layer and not self._inside(layer, number):
            made = self.records[number]
            sizes = [made.shape[a] for a in made.axes] if made.axes else [1, 1]
            rows, columns = (np.arange(size)[:, None] for size in sizes)
            passed = Record(
                "identity", layer, (number,), (rows,), (columns,), made.shape, made.axes
            )
            self._write(tensor, passed)
        return self.number[id(tensor)]

    def _inside(self, layer: str, number: int) -> bool:
        """Whether a record was made by a layer inside of `layer`."""
        return self.records[number].layer.startswith(f"{layer}.")

    @contextlib.contextmanager
    def layers(self, layers: dict[str, nn.Module]) -> Iterator[None]:
        """Inside the block records say which of the layers they ran in; `outputs` what each gave."""

        def enter(name: str) -> Callable[..., None]:
            return lambda *_: self.stack.append(name)

        def leave(name: str) -> Callable[..., None]:
            def hook(_module: nn.Module, _inputs: object, output: object) -> None:
                self.stack.pop()
                for tensor in _tensors(output):
                    self.outputs.setdefault(name, []).append(self._claim(name, tensor))

            return hook

        handles = []
        try:
            for name, module in layers.items():
                handles.append(module.register_forward_pre_hook(enter(name)))
                handles.append(module.register_forward_hook(leave(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()


def record(
    network: nn.Module,
    layers: dict[str, nn.Module],
    history: Tensor,
    calendar: Tensor,
    static: Tensor,
) -> Tape:
    """The tape of one forward pass; its first records are `history`, `calendar` and `static`."""
    tape = Tape({"history": history, "calendar": calendar, "static": static})
    network.eval()
    with torch.no_grad(), tape.layers(layers), tape:
        network(history, calendar, static)
    return tape


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in _tensors(part)]
    return []


def _taps(
    name: str,
    func: Any,
    args: Any,
    kwargs: Any,
    taken: list[Tensor],
    before: list[Record],
    out: Tensor,
) -> tuple[tuple[int, int] | None, list[Taps], list[Taps]]:
    """The output's axes of rows and columns, and for each input the taps along both."""
    maps = [b for b in before if b.axes is not None]
    if not maps:  # nothing with places came in, so nothing is mixed
        none = [_everything(1, 1) for _ in before]
        return None, none, none
    if name in ("softmax", "log_softmax", "cumsum"):
        dim = _argument(args, kwargs, 1, "dim", None)
        inside = dim is not None and dim % len(maps[0].shape) not in (maps[0].axes or ())
        return _pointwise(before, out) if inside else _whole(before, out)
    if name in REDUCING and name not in ("amax", "amin", "max", "min", "median"):
        func = _mean_instead  # a sum of indices is no index, their mean is
    if name in MOVING or name in REDUCING or (name == "pad" and not _constant_pad(args, kwargs)):
        found = _sent_through(func, args, kwargs, taken, before, out)
        if found is not None:
            return found
    axes = maps[0].axes
    assert axes is not None
    if name in MIXING and not (name == "linear" and axes[1] != len(maps[0].shape) - 1):
        return _whole(before, out)
    if name.startswith("conv") or "pool" in name or name in ("interpolate", "upsample", "pad"):
        made = [
            _geometry(name, args, kwargs, along, before[0].shape[-2 + along], out.shape[-2 + along])
            for along in (0, 1)
        ]
        if any(span is None for span in made):
            return _whole(before, out)
        rest = before[1:]
        return (
            (out.dim() - 2, out.dim() - 1),
            [made[0], *(_everything(b.shape[-2], out.shape[-2]) for b in rest)],  # type: ignore[list-item]
            [made[1], *(_everything(b.shape[-1], out.shape[-1]) for b in rest)],  # type: ignore[list-item]
        )
    return _pointwise(before, out)


def _pointwise(
    before: list[Record], out: Tensor
) -> tuple[tuple[int, int] | None, list[Taps], list[Taps]]:
    """Place by place, inputs of size one broadcast."""
    wide = max((b for b in before if b.axes is not None), key=lambda b: len(b.shape))
    assert wide.axes is not None
    from_end = [axis - len(wide.shape) for axis in wide.axes]
    if out.dim() < max(-f for f in from_end):
        return _whole(before, out)
    axes = (out.dim() + from_end[0], out.dim() + from_end[1])
    spans: list[list[Taps]] = [[], []]
    for b in before:
        for along in (0, 1):
            size, own = out.shape[axes[along]], 1
            if b.axes is not None and len(b.shape) >= -from_end[along]:
                own = b.shape[from_end[along]]
            if own == size:
                spans[along].append(np.arange(size)[:, None])
            else:
                spans[along].append(_everything(own, size))
    return axes, spans[0], spans[1]


def _whole(
    before: list[Record], out: Tensor
) -> tuple[tuple[int, int] | None, list[Taps], list[Taps]]:
    """Every place of the output is made from every place of the inputs."""
    axes = (out.dim() - 2, out.dim() - 1) if out.dim() >= 3 else None
    sizes = (out.shape[-2], out.shape[-1]) if axes else (1, 1)
    rows, columns = [], []
    for b in before:
        height, width = (b.shape[b.axes[0]], b.shape[b.axes[1]]) if b.axes else (1, 1)
        rows.append(_everything(height, sizes[0]))
        columns.append(_everything(width, sizes[1]))
    return axes, rows, columns


def _everything(size: int, outputs: int) -> Taps:
    return np.broadcast_to(np.arange(size), (outputs, size))


def _sent_through(
    func: Any, args: Any, kwargs: Any, taken: list[Tensor], before: list[Record], out: Tensor
) -> tuple[tuple[int, int] | None, list[Taps], list[Taps]] | None:
    """Send the indices of rows, then of columns, through the operation, and see where they come out.

    None if the output still mixes what has no single place.
    """
    axes: list[int | None] = [None, None]
    spans: tuple[list[Taps], list[Taps]] = ([], [])
    for own in before:
        for along in (0, 1):
            if own.axes is None or 0 in own.shape:
                spans[along].append(_nothing(1))
                continue
            made = []
            for missing in (math.inf, -math.inf):
                swap = {}
                for tensor, other in zip(taken, before, strict=True):
                    swap[id(tensor)] = torch.full(tensor.shape, missing)
                    if other is own:
                        shape = [1] * tensor.dim()
                        shape[own.axes[along]] = -1
                        index = torch.arange(tensor.shape[own.axes[along]], dtype=torch.float32)
                        swap[id(tensor)] = index.view(shape).expand(tensor.shape).contiguous()
                try:
                    got = func(*_swapped(args, swap, missing), **_swapped(kwargs, swap, missing))
                except (RuntimeError, TypeError, ValueError, IndexError):
                    return None
                made += [t.float() for t in _tensors(got) if t.shape == out.shape][:1]
            if len(made) < 2:
                return None
            axis = _axis(made[0], made[1], axes[along], own.axes[along] - len(own.shape))
            if axis is None:
                return None
            axes[along] = axis
            rest = [d for d in range(out.dim()) if d != axis]
            low = made[0].amin(dim=rest)
            places = torch.where(low.isfinite(), low, -1.0).round().long().numpy()
            spans[along].append(places[:, None])
    if axes[0] is None or axes[1] is None or axes[0] == axes[1]:
        return None
    for number, record_before in enumerate(before):
        if record_before.axes is None or 0 in record_before.shape:
            spans[0][number] = _nothing(out.shape[axes[0]])
            spans[1][number] = _nothing(out.shape[axes[1]])
    return (axes[0], axes[1]), spans[0], spans[1]


def _nothing(outputs: int) -> Taps:
    """No index of the input has a part in any of the output."""
    return np.full((outputs, 1), -1)


def _axis(low: Tensor, high: Tensor, known: int | None, from_end: int) -> int | None:
    """The axis of an output along which an index that was sent through varies, and alone decides."""
    varying = None
    for axis in [known] if known is not None else range(low.dim()):
        rest = [d for d in range(low.dim()) if d != axis]
        bottom, top = low.amin(dim=rest), high.amax(dim=rest)
        there = torch.isfinite(bottom)
        alone = bool(there.any()) and bool((bottom[there] == top[there]).all())
        if alone and (known is not None or len(bottom[there].unique()) > 1):
            varying = axis
    if varying is None and bool(low.isfinite().any()):
        # A single row or column is left: its axis is where it was, if it is still there.
        there = low.isfinite()
        at = low.dim() + from_end
        if at >= 0 and low.shape[at] == 1 and float(low[there].min()) == float(high[there].max()):
            varying = at
    return varying


def _mean_instead(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The mean over the axes that a reduction is over."""
    dim = kwargs.get("dim", args[0] if args else None)
    keep = bool(kwargs.get("keepdim", args[-1] if len(args) > 1 else False))
    return x.mean() if dim is None else x.mean(dim=dim, keepdim=keep)


def _swapped(value: Any, swap: dict[int, Tensor], missing: float) -> Any:
    if isinstance(value, Tensor):
        if id(value) in swap:
            return swap[id(value)]
        return torch.full_like(value, missing) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _swapped(part, swap, missing) for key, part in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(_swapped(part, swap, missing) for part in value)
    return value


def _argument(args: Any, kwargs: Any, place: int, name: str, default: Any) -> Any:
    return kwargs.get(name, args[place] if len(args) > place else default)


def _along(value: Any, along: int, default: Any = 0) -> Any:
    """An option that may be one number or one for each axis; the last two are rows and columns."""
    if value is None:
        return default
    if isinstance(value, list | tuple):
        if not value:
            return default
        return value[-2 + along] if len(value) > 1 else value[0]
    return value


def _constant_pad(args: Any, kwargs: Any) -> bool:
    return _argument(args, kwargs, 2, "mode", "constant") == "constant"


def _geometry(
    name: str, args: Any, kwargs: Any, along: int, size: int, outputs: int
) -> Taps | None:
    """For each index of the output along one axis, the input's indices; None if unknown."""
    i = np.arange(outputs)[:, None]
    if name == "pad":
        pads = _argument(args, kwargs, 1, "pad", ())
        return i - (pads[2 * (1 - along)] if len(pads) > 2 * (1 - along) else 0)
    if name.startswith("conv_transpose"):
        k = np.arange(args[1].shape[-2 + along])
        stride = _along(_argument(args, kwargs, 3, "stride", 1), along, 1)
        pad = _along(_argument(args, kwargs, 4, "padding", 0), along, 0)
        dilation = _along(_argument(args, kwargs, 7, "dilation", 1), along, 1)
        # Output o gets input j where o = j · stride − pad + k · dilation for some k of the kernel.
        source = i + pad - dilation * k
        return np.where(source % stride == 0, source // stride, -1)
    if name.startswith("conv"):
        k = np.arange(args[1].shape[-2 + along])
        stride = _along(_argument(args, kwargs, 3, "stride", 1), along, 1)
        pad = _argument(args, kwargs, 4, "padding", 0)
        dilation = _along(_argument(args, kwargs, 5, "dilation", 1), along, 1)
        if isinstance(pad, str):
            pad = dilation * (len(k) - 1) // 2 if pad == "same" else 0
        return i * stride - _along(pad, along) + dilation * k
    if name.startswith("adaptive"):
        first, end = (i * size) // outputs, -((-(i + 1) * size) // outputs)
        taps = first + np.arange(int((end - first).max()))
        return np.where(taps < end, taps, -1)
    if "pool" in name:
        kernel = _along(_argument(args, kwargs, 1, "kernel_size", None), along, 1)
        stride = _along(_argument(args, kwargs, 2, "stride", None), along, kernel)
        pad = _along(_argument(args, kwargs, 3, "padding", 0), along, 0)
        dilation = 1
        if "max" in name:
            dilation = _along(_argument(args, kwargs, 4, "dilation", 1), along, 1)
        return i * stride - pad + dilation * np.arange(kernel)
    mode = _argument(args, kwargs, 3, "mode", "nearest")
    if mode in ("nearest", "nearest-exact", "area"):
        return (i * size) // outputs
    if _argument(args, kwargs, 4, "align_corners", False) and outputs > 1:
        source = i * (size - 1) / (outputs - 1)
    else:
        source = (i + 0.5) * size / outputs - 0.5
    if mode == "bicubic":
        return np.clip(np.floor(source).astype(int) + np.arange(-1, 3), 0, size - 1)
    source = np.clip(source, 0, size - 1)
    return np.hstack([np.floor(source + 1e-9), np.ceil(source - 1e-9)]).astype(int)
