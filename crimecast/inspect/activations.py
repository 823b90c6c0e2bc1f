"""What every layer of a network puts out for one step, caught in one ordinary forward pass."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from crimecast import UserError
from crimecast.designs.build import Network, named_layers
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.subject import subject
from crimecast.networks.calls import ROOT, Counter, Outputs, first_tensor, split, watched
from crimecast.runs.run import Run


@contextmanager
def capture(
    network: nn.Module, names: list[str], early: bool = False
) -> Iterator[dict[str, Tensor]]:
    """Catch what the named layers give during the forward passes inside the block: of the last pass,
    under the labels of their calls (`calls.py`); of a layer that gives several tensors the first.

    With `early` the pass that has caught the last of them ends there, by an exception of ours. Nothing
    stays on the network when the block ends, however it ends. Raises UserError for an unknown layer.
    """
    known = named_layers(network)
    wanted: dict[str, set[int | None]] = {}
    for name in names:
        module, number = (name, None) if name in known else split(name)
        if module not in known:
            raise UserError(f"There is no layer '{name}'; the layers are {', '.join(known)}.")
        wanted.setdefault(module, set()).add(number)
    counter, caught = Counter(), Outputs()
    running: list[tuple[str, int]] = []
    # A user's own module may change what a layer gave in place, a spec's layers never do.
    copied = not isinstance(network, Network)

    def enter(name: str, _args: object, _kwargs: object) -> None:
        if name == ROOT:
            caught.clear()
            running.clear()
        running.append((name, counter.begin(name)))

    def leave(name: str, output: object) -> None:
        _, number = running.pop()
        tensor = first_tensor(output)
        if name != ROOT and tensor is not None and wanted[name] & {None, number}:
            kept = tensor.detach().clone() if copied else tensor.detach()
            if None in wanted[name]:
                caught.put(name, number, kept)
            else:
                caught[f"{name}:{number}"] = kept
        if early and len(caught) == len(names):
            raise _Enough

    with watched({ROOT: network, **{name: known[name] for name in wanted}}, enter, leave):
        yield caught


ACTIVATIONS = {
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "prelu", "softplus",
    "sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish",
}  # fmt: skip


class Activated(TorchFunctionMode):
    """Notes what an activation makes of a layer's output, be it a module of its own or a function in
    a user's code: `outputs` and the `kinds` of activation, by layer."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, Tensor] = {}
        self.kinds: dict[str, str] = {}
        self.made: dict[int, str] = {}
        self.alive: list[Tensor] = []  # a tensor's id is its own only while it lives

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").rstrip("_")
        if name in ACTIVATIONS and args and (layer := self.made.get(id(args[0]))) is not None:
            self.outputs[layer], self.kinds[layer] = out.detach().clone(), name
        return out

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Follow the layers without others inside during the forward passes of the block."""

        def note(name: str) -> Any:
            def hook(_module: nn.Module, _inputs: object, output: object) -> None:
                if isinstance(output, Tensor) and id(output) not in self.made:
                    self.made[id(output)] = name
                    self.alive.append(output)

            return hook

        handles = [
            module.register_forward_hook(note(name))
            for name, module in named_layers(network).items()
            if not any(True for _ in module.children())
        ]
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()


def activations(run: Run, step: int, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """Layer name → (channels, height, width) float32 for the forecast of one step of the run's grid.

    Raises UserError for a layer that isn't there or a step too early for the longest lag.
    """
    return {name: maps[0] for name, maps in activations_of_steps(run, [step], names).items()}


def activations_of_steps(
    run: Run, steps: list[int], names: list[str] | None = None, epoch: int | None = None
) -> dict[str, np.ndarray]:
    """Layer name → (steps, channels, height, width) float32, from one forward pass over the steps; of
    a layer on sequences its last step.

    With `epoch` the network is as it was after that epoch, of which a checkpoint must be kept.

    A layer that doesn't put out a tensor of maps is given as it is. Raises UserError as above, and
    for a layer that the forward pass doesn't use.
    """
    return activations_of(subject(run, epoch), steps, names)


@torch.no_grad()
def activations_of(
    one: Specimen, steps: list[int], names: list[str] | None = None
) -> dict[str, np.ndarray]:
    """The same of a network at hand. A spec's network is left as soon as all that was asked for is
    there, since each of its layers runs once."""
    batch = one.batch(steps)
    wanted = list(one.layers) if names is None else names
    early = isinstance(one.network, Network)
    with capture(one.network, wanted, early) as caught, contextlib.suppress(_Enough):
        one.network(batch.history, batch.calendar, batch.static)
    for name in names or []:
        if not any(label == name or split(label)[0] == name for label in caught):
            raise UserError(f"The forward pass doesn't use layer '{name}'.")
    return {label: _plain(one.maps(label, x)) for label, x in caught.items()}


def _plain(x: Tensor) -> np.ndarray:
    """Numbers to look at: of complex values their size."""
    return (x.abs() if x.is_complex() else x).float().numpy()


class _Enough(Exception):
    """All that was asked for has been caught."""
