"""A network as a graph of its layers: shapes, parameters, multiply-adds, memory and time of each."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from crimecast.designs.build import Network
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.tape import Tape, record

TIMED = 5  # forward passes whose median is a layer's time


@dataclass(frozen=True)
class Node:
    """A layer: what it takes (names of layers, or `inputs`) and what it costs for one step.

    `multiply_adds` are those of convolutions and matrix products, `bytes` the size of its output.
    """

    name: str
    kind: str
    takes: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    bytes: int
    milliseconds: float


def graph(subject: Specimen) -> list[Node]:
    """The layers in the order in which they run; those of a user's module are its leaf modules.

    Layers that a forward pass doesn't use are left out.
    """
    layers = shown_layers(subject)
    batch = subject.batch(subject.probes(1))
    arguments = (batch.history, batch.calendar, batch.static)
    tape = record(subject.network, layers, *arguments)
    seconds = _seconds(subject.network, layers, arguments)
    flops = _flops(subject.network, layers, arguments)
    made = []
    for name in dict.fromkeys(r.layer for r in tape.records if r.layer):
        if name not in tape.outputs:
            continue
        last = tape.records[tape.outputs[name][-1]]
        count = math.prod(last.shape)
        made.append(
            Node(
                name, _kind(subject, name, layers[name]), _takes(tape, name), last.shape[1:],
                sum(p.numel() for p in layers[name].parameters()), flops.get(name, 0) // 2, 4 * count,
                1000 * seconds.get(name, 0.0),
            )
        )  # fmt: skip
    return made


def shown_layers(subject: Specimen) -> dict[str, nn.Module]:
    """A spec's own layers; of a user's module those without others inside, or all if it is one."""
    if isinstance(subject.network, Network):
        return subject.layers
    leaves = {n: m for n, m in subject.layers.items() if not any(True for _ in m.children())}
    return leaves or {"network": subject.network}


def _kind(subject: Specimen, name: str, module: nn.Module) -> str:
    if isinstance(subject.network, Network):
        return next(p.layer.kind for p in subject.network.placed if p.layer.name == name)
    return type(module).__name__


def _takes(tape: Tape, name: str) -> tuple[str, ...]:
    """The layers whose output reaches this one, through whatever happens between layers."""
    own = [i for i, r in enumerate(tape.records) if r.layer == name]
    made_by = {number: layer for layer, numbers in tape.outputs.items() for number in numbers}
    found: dict[str, None] = {}
    seen: set[int] = set()
    ahead = [source for number in own for source in tape.records[number].inputs]
    while ahead:
        number = ahead.pop(0)
        if number in seen:
            continue
        seen.add(number)
        source = tape.records[number]
        if source.layer == name and number not in made_by:
            ahead += source.inputs
        elif made_by.get(number, name) != name:
            found[made_by[number]] = None
        elif not source.inputs:
            found["calendar" if source.name == "calendar" else "inputs"] = None
        else:
            ahead += source.inputs
    return tuple(found)


def _seconds(
    network: nn.Module, layers: dict[str, nn.Module], arguments: tuple[torch.Tensor, ...]
) -> dict[str, float]:
    """Median time of each layer over a few forward passes."""
    began: dict[str, float] = {}
    times: dict[str, list[float]] = {}

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: began.__setitem__(name, time.perf_counter())

    def leave(name: str) -> Callable[..., None]:
        return lambda *_: times.setdefault(name, []).append(time.perf_counter() - began[name])

    handles = []
    try:
        for name, module in layers.items():
            handles.append(module.register_forward_pre_hook(enter(name)))
            handles.append(module.register_forward_hook(leave(name)))
        with torch.no_grad():
            for _ in range(TIMED):
                network(*arguments)
    finally:
        for handle in handles:
            handle.remove()
    return {name: statistics.median(values) for name, values in times.items()}


def _flops(
    network: nn.Module, layers: dict[str, nn.Module], arguments: tuple[torch.Tensor, ...]
) -> dict[str, int]:
    """Floating-point operations of each layer, counted by torch."""
    # With gradients on: the counter asks parameters that are put out as they are for theirs.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        network(*arguments)
    counts = counter.get_flop_counts()
    names = {module: name for name, module in network.named_modules()}
    root = type(network).__name__
    return {
        name: sum(counts.get(f"{root}.{names[module]}" if names[module] else root, {}).values())
        for name, module in layers.items()
    }
