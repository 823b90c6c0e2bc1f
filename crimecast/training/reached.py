"""How far a user's module came when it could not be run: its layers up to the one that fails."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict  # that pydantic can read before Python 3.12

from crimecast.storage.store import read_json, write_json

if TYPE_CHECKING:  # pages that read what was kept need no torch
    from torch import nn

    from crimecast.training.samples import Batch

FILE = "reached.json"


class Step(TypedDict):
    """A layer that ran, or at which it failed: what it takes, and the shape that it gave a sample."""

    name: str
    kind: str
    takes: list[str]
    shape: list[int]
    weights: int
    fails: bool


def reached_by(network: "nn.Module", batch: "Batch") -> list[Step] | None:
    """The layers of a forward pass that fails, in the order in which they ran; None if it doesn't fail, or
    can't be followed."""
    from crimecast.designs.build import named_layers
    from crimecast.networks.tape import reached

    layers = named_layers(network)
    inputs = {"history": batch.history, "calendar": batch.calendar, "static": batch.static}
    try:
        made, failing = reached(network, layers, inputs)
    except Exception:  # there is a sentence already; only the picture is missing
        return None
    if failing is None:
        return None
    steps: list[Step] = [
        _step(label, layers.get(call.module), call.takes, call.shapes[0][1:] if call.shapes else ())
        for label, call in made.calls.items()
        if call.leaf
    ]
    label, takes = failing
    known = {"inputs", "calendar", *(step["name"] for step in steps)}
    last = _step(
        label, layers.get(label.partition(":")[0]), tuple(t for t in takes if t in known), ()
    )
    return [*steps, {**last, "fails": True}]


def _step(name: str, module: "nn.Module | None", takes: tuple[str, ...], shape: Any) -> Step:
    return {
        "name": name, "kind": "forward" if module is None else type(module).__name__, "takes": list(takes),
        "shape": list(shape), "fails": False,
        "weights": 0 if module is None else sum(p.numel() for p in module.parameters()),
    }  # fmt: skip


def keep(folder: Path, steps: list[Step] | None) -> None:
    """Keep them in a run's folder, or forget what an earlier try left there."""
    if steps is None:
        (folder / FILE).unlink(missing_ok=True)
    else:
        write_json(folder / FILE, steps)


def kept(folder: Path) -> list[Step]:
    """What was kept; nothing if nothing was."""
    path = folder / FILE
    return read_json(path, list[Step]) if path.exists() else []
