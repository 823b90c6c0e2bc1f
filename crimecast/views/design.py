"""The Design page: a spec's layers, as they are to be drawn, what each sees, and what was changed."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from crimecast.designs.shapes import FRAMES, Laid
from crimecast.designs.spec import Design, Layer
from crimecast.plots.diagram import Item


def design_items(laid: list[Laid], failing: Layer | None = None) -> list[Item]:
    """A box a layer, darker the more of the weights it has; last the layer at which it fails, if any."""
    most = max((p.parameters for p in laid), default=0) or 1
    items = [
        Item(
            p.layer.name,
            (p.layer.name, f"{p.layer.kind} · {'×'.join(map(str, p.shape))}", f"{p.parameters:,} weights"),
            tuple(dict.fromkeys(p.inputs)),
            p.parameters / most,
        )
        for p in laid
    ]  # fmt: skip
    if failing is not None:
        before = laid[-1].layer.name if laid else FRAMES
        lines = (failing.name, f"{failing.kind} · does not fit")
        items.append(Item(failing.name, lines, failing.inputs or (before,), broken=True))
    return items


def reached_items(steps: Sequence[Mapping[str, Any]]) -> list[Item]:
    """The layers of a user's module up to the one at which it fails."""
    most = max((step["weights"] for step in steps), default=0) or 1
    return [
        Item(
            step["name"],
            (step["name"], f"{step['kind']} · {'fails' if step['fails'] else '×'.join(map(str, step['shape']))}"),
            tuple(step["takes"]), step["weights"] / most, step["fails"],
        )
        for step in steps
    ]  # fmt: skip


def seen(design: Design, types: int, height: int, width: int, calendar: int) -> dict[str, str]:
    """Layer → how many cells one of its cells is made from, in words."""
    from crimecast.inspect.receptive import fields_of_design  # brings torch

    return {
        name: "sees the whole map"
        if field.whole
        else "sees its own cell"
        if field.size == (1, 1)
        else f"sees {field.size[0]}×{field.size[1]} cells"
        for name, field in fields_of_design(design, types, height, width, calendar).items()
    }


def spec_diff(before: str, after: str, names: tuple[str, str]) -> str:
    """Two specs' changed lines as a unified diff; empty if they are the same."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=2)
    return "\n".join(lines)
