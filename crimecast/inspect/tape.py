"""One forward pass written down: every operation with what it took, and which places it mixed.

Works on any network, a user's own included, since it watches torch's functions rather than modules.
Each record knows, for every row (and column) of its output, the rows of each input that it was
made from (`taps.py`); `receptive.py` follows these backwards.

By convention the statistics of a normalisation over the map don't count as seeing the whole map.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch import Tensor, nn, no_grad
from torch.overrides import TorchFunctionMode

from crimecast.inspect.taps import Record, last_two, taps_of, tensors_in


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
            shape = tuple(tensor.shape)
            places = last_two(shape) if tensor.dim() >= 4 else None
            self._write(tensor, Record(name, "", (), (), (), shape, places))

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
        taken = [t for t in tensors_in((args, kwargs)) if id(t) in self.number]
        out = func(*args, **kwargs)
        if name == "__setitem__" and isinstance(args[0], Tensor):
            new = list({id(t): t for t in taken}.values())
            if new:
                self._record(name, func, args, kwargs, new, args[0])
            return out
        if taken and name != "__get__":
            unique = list({id(t): t for t in taken}.values())
            for tensor in tensors_in(out):
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
        places, rows, columns = taps_of(plain, func, args, kwargs, taken, before, out)
        layer = self.stack[-1] if self.stack else ""
        shape = tuple(out.shape)
        self._write(out, Record(plain, layer, numbers, tuple(rows), tuple(columns), shape, places))

    def _claim(self, layer: str, tensor: Tensor) -> int:
        """The number of a layer's output: its own record, even if it passed its input on untouched (a
        dropout that is off) or made something of its weights alone."""
        number = self.of(tensor)
        if number is None:
            shape = tuple(tensor.shape)
            places = last_two(shape) if tensor.dim() >= 3 else None
            self._write(tensor, Record("weights", layer, (), (), (), shape, places))
        elif self.records[number].layer != layer and not self._inside(layer, number):
            made = self.records[number]
            rows, columns = (np.arange(size)[:, None] for size in made.sizes)
            passed = Record(
                "identity", layer, (number,), (rows,), (columns,), made.shape, made.places
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
                for tensor in tensors_in(output):
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
    with no_grad(), tape.layers(layers), tape:
        network(history, calendar, static)
    return tape
