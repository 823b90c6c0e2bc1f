"""What training a spec will take, estimated from its shapes before anything is built.

Rough on purpose, and on the low side: it is there to refuse what no machine could do, before it
takes the machine. What it can't know, a user's own module, is held by the worker's memory limit.
"""

from dataclasses import dataclass
from math import prod

from crimecast.designs.inputs import calendar_numbers, for_step
from crimecast.designs.shapes import Laid, lay_out
from crimecast.designs.spec import Design
from crimecast.grids.cube import Cube

EACH = 4  # bytes of a number
# A weight, its gradient and the optimiser's two averages.
COPIES = 4
# Kinds whose weights are each used once, not at every place of a map.
ONCE = ("fuse", "cell_bias", "embedding", "external")
GATES = {"convlstm": 8, "convgru": 6}  # maps kept for each step and channel, for the way back
CURVED = ("gelu", "silu")  # activations whose way back needs what went in beside what came out
PASSES = 3  # forward, and back for inputs and weights


@dataclass(frozen=True)
class Cost:
    """`memory` in bytes while one batch is trained on, `operations` of one sample, `weights`."""

    weights: int
    memory: int
    operations: int


def fitted(design: Design, cube: Cube) -> tuple[Design, Cost | None]:
    """A design for a grid, without the memories that its step can't tell apart, and its cost; that of a
    user's own module isn't known. Raises UserError, with the layer's name, where it can't be built.
    """
    design = for_step(design, cube.step)
    if design.module is not None:
        return design, None
    _, types, height, width = cube.counts.shape
    laid = lay_out(design, types, height, width, calendar_numbers(design, cube.step))
    return design, cost(design, laid)


def cost(design: Design, laid: list[Laid]) -> Cost:
    """The cost of training `laid`, the layers of `design` with their shapes.

    Memory: the weights with gradients and averages, and for every layer what it puts out (again for
    a norm, and for an activation that needs what went in) for each sample of a batch. Operations: two a weight and
    place, a recurrent layer's at each step, forward and back.
    """
    kept = operations = 0
    weights = sum(one.parameters for one in laid)
    seen: set[str] = set()
    for one in laid:
        kind, out = one.layer.kind, prod(one.shape)
        for name, shape in zip(one.inputs, one.takes, strict=True):
            if name in ("frames", "history", "maps") and name not in seen:
                kept += prod(shape)
                seen.add(name)
        steps = one.takes[0][0] if kind in GATES else 1
        height, width = one.shape[-2:]
        normed = one.options.get("norm", "none") != "none"
        curved = one.options.get("activation") in CURVED
        kept += out * (1 + normed + curved)
        kept += GATES.get(kind, 0) * steps * one.shape[-3] * height * width
        places = 1 if kind in ONCE else steps * height * width
        operations += 2 * PASSES * one.parameters * places + out
    memory = EACH * (COPIES * weights + design.training.batch * kept)
    return Cost(weights, memory, operations)
