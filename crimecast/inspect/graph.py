"""A network as a graph of its layers: shapes, parameters, multiply-adds, memory and time of each."""

import math
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from crimecast.designs.build import Network
from crimecast.networks.calls import ROOT, Counter, split, watched
from crimecast.networks.looked import Looked
from crimecast.networks.taped import Called

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


def graph(subject: Looked) -> list[Node]:
    """The layers in the order in which they run, the one that the forecast comes from last; of a user's
    module its innermost modules, each call by itself, or the whole if it has none.

    Layers that a forward pass doesn't use are left out.
    """
    made, inputs, layers = subject.record(), subject.example(), subject.layers
    calls = [call for call in made.calls.values() if shown(subject, call)]
    seconds = _seconds(subject.network, layers, inputs)
    flops = _flops(subject.network, layers, tuple(inputs.values()))
    nodes = []
    for call in calls:
        module = layers[call.module]
        several = sum(other.module == call.module for other in calls)
        shape = call.shapes[0] if call.shapes else ()
        nodes.append(
            Node(
                call.label, _kind(subject, call.module, module), call.takes, shape[1:],
                sum(p.numel() for p in module.parameters()),
                flops.get(call.module, 0) // 2 // several, 4 * math.prod(shape),
                1000 * seconds.get(call.label, 0.0),
            )
        )  # fmt: skip
    last = [n for n in nodes if n.name in made.takes][-1:]
    if not nodes:
        whole = subject.network
        shape = made.output.shape if made.output else ()
        nodes = [
            Node(
                "network", type(whole).__name__, ("inputs",), shape[1:],
                sum(p.numel() for p in whole.parameters()), flops.get("network", 0) // 2,
                4 * math.prod(shape), 1000 * seconds.get("network", 0.0),
            )
        ]  # fmt: skip
    return [n for n in nodes if n not in last] + last


def shown(subject: Looked, call: Called) -> bool:
    """A spec's own layers are shown; of a user's module those in which no other one runs."""
    return isinstance(subject.network, Network) or call.leaf


def kind_of(subject: Looked, label: str) -> str:
    """The kind of a spec's layer, or the class of a user's."""
    name = label if label in subject.layers else split(label)[0]
    return _kind(subject, name, subject.layers[name])


def _kind(subject: Looked, name: str, module: nn.Module) -> str:
    if isinstance(subject.network, Network):
        return next(p.layer.kind for p in subject.network.laid if p.layer.name == name)
    if isinstance(module, torch.jit.ScriptModule):
        return f"scripted {module.original_name}"
    return module._get_name().removeprefix("Parametrized")


def _seconds(
    network: nn.Module, layers: dict[str, nn.Module], inputs: dict[str, Tensor]
) -> dict[str, float]:
    """Median time of each call over a few forward passes."""
    began: list[tuple[int, float]] = []
    times: dict[str, list[float]] = {}
    counter = Counter()

    def enter(name: str, _args: object, _kwargs: object) -> None:
        began.append((counter.begin(name), time.perf_counter()))

    def leave(name: str, _output: object) -> None:
        number, start = began.pop()
        times.setdefault(f"{name or 'network'}:{number}", []).append(time.perf_counter() - start)

    with watched({ROOT: network, **layers}, enter, leave), torch.no_grad():
        for _ in range(TIMED):
            network(*inputs.values())
    once = {split(label)[0] for label in times} - {
        split(label)[0] for label in times if label.endswith(":2")
    }
    return {
        split(label)[0] if split(label)[0] in once else label: statistics.median(values)
        for label, values in times.items()
    }


def _flops(
    network: nn.Module, layers: dict[str, nn.Module], arguments: tuple[Tensor, ...]
) -> dict[str, int]:
    """Floating-point operations of each module, all its calls together, counted by torch."""
    totals: dict[str, int] = {}
    running: list[tuple[str, int]] = []

    # With gradients on: the counter asks parameters that are put out as they are for theirs.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:

        def enter(name: str, _args: object, _kwargs: object) -> None:
            running.append((name or "network", counter.get_total_flops()))

        def leave(_name: str, _output: object) -> None:
            name, before = running.pop()
            totals[name] = totals.get(name, 0) + counter.get_total_flops() - before

        with watched({ROOT: network, **layers}, enter, leave):
            network(*arguments)
    return totals
