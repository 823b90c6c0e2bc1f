"""Each layer's output follows from its inputs, and what is shown of it is all that the forecast reads."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from crimecast.networks.axes import Axes
from crimecast.networks.calls import (
    ROOT,
    Counter,
    Outputs,
    first_tensor,
    instead,
    split,
    tensors_in,
    watched,
)
from crimecast.networks.looked import Looked
from crimecast.networks.taped import Record


@dataclass(frozen=True)
class Check:
    """One thing that was tried, of a layer or (None) of the network; `why` says what was seen."""

    check: str
    layer: str | None
    ok: bool
    why: str = ""


@torch.no_grad()
def replays(one: Looked, inputs: dict[str, Tensor]) -> list[Check]:
    """Each layer is called again where it ran, since what stands around it, such as an autocast, or other
    weights in place of its own, belongs to what it was given."""
    counter, kept = Counter(), Outputs()
    running: list[tuple[str, int, tuple[Any, ...], dict[str, Any], list[str]]] = []
    again = False

    def enter(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if again:
            return
        for outer in running:
            outer[4].append(name)
        running.append((name, counter.begin(name), copied(args), copied(kwargs), []))

    def leave(name: str, output: object) -> None:
        nonlocal again
        if again:
            return
        _, number, args, kwargs, inside = running.pop()
        tensor = first_tensor(output)
        if name == ROOT or tensor is None or (inside and not one.is_spec):
            return
        before, again = tensor.clone(), True
        try:
            repeated = first_tensor(one.layers[name](*args, **kwargs))
        except Exception:  # whatever a user's module does when it is called twice
            repeated = None
        again = False
        kept.put(name, number, repeated is not None and alike(repeated, before, 1e-4))

    with watched({ROOT: one.network, **one.layers}, enter, leave):
        one.network(*inputs.values())
    why = "called again with what it was given, it gives something else"
    return [Check("replays", label, ok, "" if ok else why) for label, ok in kept.items()]


@torch.no_grad()
def several(one: Looked, inputs: dict[str, Tensor]) -> list[Check]:
    """Of a layer that gives several tensors the first is shown, and changed by an ablation: does the forecast read
    the others? (Of a recurrent layer its states go with it.)"""
    having: dict[str, None] = {}

    def noted(name: str, output: object) -> None:
        if (
            name != ROOT
            and len(_floating(output)) > 1
            and not isinstance(one.layers[name], nn.RNNBase)
        ):
            having[name] = None

    with watched({ROOT: one.network, **one.layers}, lambda *_: None, noted):
        plain = first_tensor(one.network(*copied([*inputs.values()])))
    checks = []
    for name in having:

        def moved(_name: str, output: object) -> object:
            for tensor in _floating(output)[1:]:
                output = instead(output, tensor, tensor + 1.0)
            return output

        with watched({name: one.layers[name]}, lambda *_: None, moved):
            try:
                other = first_tensor(one.network(*copied([*inputs.values()])))
            except Exception:  # whatever a user's module does
                other = None
        same = plain is not None and other is not None and alike(other, plain, 1e-6)
        why = (
            ""
            if same
            else "it gives several tensors, of which the forecast reads others than the first"
        )
        checks.append(Check("several", name, same, why))
    return checks


@torch.no_grad()
def parts_read(one: Looked, made: Record, inputs: dict[str, Tensor]) -> list[Check]:
    """Of a layer that gives several maps of each channel for a sample (of steps, or folded into the batch) the
    last is shown: does the forecast read it?"""
    checks = []
    plain = first_tensor(one.network(*copied([*inputs.values()])))
    for label, call in made.calls.items():
        axes = one.axes(label, call.shapes[0]) if call.shapes else None
        if axes is None or not axes.proven or axes.parts(call.shapes[0]) == 1:
            continue
        name, number = split(label)
        counter = Counter()

        def moved(
            ran: str,
            output: object,
            axes: Axes = axes,
            name: str = name,
            number: int = number or 1,
            counter: Counter = counter,
        ) -> object:
            tensor = first_tensor(output)
            if ran != name or counter.begin(name) != number or tensor is None:
                return output
            shown = axes.maps(torch.arange(tensor.numel()).reshape(tensor.shape)).flatten()
            noise = torch.randn(len(shown), generator=torch.Generator().manual_seed(0))
            other = tensor.clone().flatten()
            other[shown] += noise.to(other.dtype) * (1 + tensor.abs().mean())
            return instead(output, tensor, other.reshape(tensor.shape))

        with watched({name: one.layers[name]}, lambda *_: None, moved):
            try:
                other = first_tensor(one.network(*copied([*inputs.values()])))
            except Exception:  # whatever a user's module does
                continue
        if plain is not None and other is not None and alike(other, plain, 1e-9):
            count = axes.parts(call.shapes[0])
            why = f"of the {count} maps that it gives of each channel the last is shown, and the forecast reads others alone"
            checks.append(Check("several", label, False, why))
    return checks


def _floating(output: object) -> list[Tensor]:
    return [t for t in tensors_in(output) if t.is_floating_point() or t.is_complex()]


def copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(copied(part) for part in value)
    return value


def alike(one: Tensor, other: Tensor, tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    finite = torch.nan_to_num(one), torch.nan_to_num(other)
    size = float(finite[1].abs().max()) if other.numel() else 0.0
    return bool(((finite[0] - finite[1]).abs() <= tolerance * (size + 1e-6)).all())
