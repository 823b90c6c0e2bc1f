"""Crimes excite others further away than a cell's forecast can see.

Cells seen (exact, from the network, and what an input map has gathered by its blur) beside the reach
of near repeats in the training period (`inspect/near_repeat.py`). Counts from a reach of two cells,
high below half of it.
"""

from collections.abc import Iterator

from crimecast.designs.inputs import map_inputs
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.inspect.receptive import theoretical_field


def judge(case: Case) -> Iterator[Finding]:
    """A network that is short-sighted."""
    reach = case.near_repeat.reach()
    seen = theoretical_field(case.subject, case.middle).reach(case.middle) + _blur(case)
    if reach >= 2 and seen < reach:
        layer, kernel = _widen(case, reach - seen)
        yield Finding(
            "receptive_field_too_small", layer, "high" if seen == 0 or seen < reach / 2 else "medium",
            {"sees_cells": int(seen), "excited_cells": reach, "cell_metres": case.subject.cube.cell},
            f"A cell's forecast sees {seen} cells around it, and crimes excite others {reach} cells away: widen a kernel, dilate it, or blur a memory.",
            {f"layer.{layer}.kernel": kernel} if layer and case.is_spec else {},
        )  # fmt: skip


def _blur(case: Case) -> int:
    """Cells over which an input map has gathered events: two standard deviations of its blur."""
    blurs = [one.memory.blur for one in map_inputs(case.design) if one.memory]
    offset = 2 if case.design.offset == "memory_mixture" else 0  # its own blurred memories
    return max(offset, int(2 * max(blurs, default=0.0)))


def _widen(case: Case, missing: int) -> tuple[str | None, int]:
    """The first convolution at full size, and the kernel that would make up for what is missing."""
    for node in case.nodes:
        options = case.options(node.name)
        if (
            node.kind == "conv"
            and options.get("stride", 1) == 1
            and options.get("dilation", 1) == 1
        ):
            return node.name, int(options["kernel"]) + 2 * missing
    layer = next((n.name for n in case.nodes if n.kind.startswith("Conv")), None)
    return layer, 1 + 2 * missing
