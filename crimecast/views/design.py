"""The Design page: a spec's layers, as they are to be drawn."""

from crimecast.designs.shapes import Placed
from crimecast.plots.diagram import Item


def design_items(placed: list[Placed]) -> list[Item]:
    """A box a layer, darker the more of the weights it has."""
    most = max((p.parameters for p in placed), default=0) or 1
    return [
        Item(
            p.layer.name,
            (p.layer.name, f"{p.layer.kind} · {'×'.join(map(str, p.shape))}", f"{p.parameters:,} weights"),
            tuple(dict.fromkeys(p.inputs)),
            p.parameters / most,
        )
        for p in placed
    ]  # fmt: skip
