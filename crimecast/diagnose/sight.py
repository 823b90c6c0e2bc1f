"""What the network can see: too little (`receptive_field_too_small`), too much, or not used
(`ignored_input`)."""

from collections.abc import Iterator

import numpy as np

from crimecast.designs.inputs import map_inputs
from crimecast.diagnose.finding import Case, Finding
from crimecast.inspect.receptive import effective_field, radius_holding, theoretical_field

FAINT = 0.02  # of the effect of the lag that matters most
IGNORED = 1e-3  # change of the log rate (a tenth of a per cent) when an input is blanked


def receptive_field_too_small(case: Case) -> Iterator[Finding]:
    """Crimes excite others further away than a cell's forecast can see.

    What an input map has gathered by its blur counts as seen.
    """
    reach = case.near_repeat.reach()
    seen = theoretical_field(case.subject, _middle(case)).reach(_middle(case)) + _blur(case)
    if reach >= 2 and seen < reach:
        layer, kernel = _widen(case, reach - seen)
        yield Finding(
            "receptive_field_too_small", layer, "high" if seen == 0 or seen < reach / 2 else "medium",
            {"sees_cells": int(seen), "excited_cells": reach, "cell_metres": case.subject.cube.cell},
            f"A cell's forecast sees {seen} cells around it, and crimes excite others {reach} cells away: widen a kernel, dilate it, or blur a memory.",
            {f"layer.{layer}.kernel": kernel} if layer and case.is_spec else {},
        )  # fmt: skip


def receptive_field_too_large(case: Case) -> Iterator[Finding]:
    """The network can see half the city and uses a small part of it."""
    cell = _middle(case)
    field = theoretical_field(case.subject, cell)
    reach, used = (
        field.reach(cell),
        radius_holding(effective_field(case.subject, cell, case.subject.probes(2)), cell, 0.9),
    )
    size = max(case.subject.area.shape)
    if not field.whole and reach > 0.45 * size and reach > 12 and used < 0.12 * reach:
        yield Finding(
            "receptive_field_too_large", None, "low",
            {"sees_cells": reach, "holds_90_percent_cells": round(used, 1)},
            f"The network can see {reach} cells around each, and nine tenths of what moves its forecast lies within {used:.0f}: fewer or smaller layers would do.",
        )  # fmt: skip


def ignored_input(case: Case) -> Iterator[Finding]:
    """Inputs that change nothing when they are blanked."""
    effect = case.effect
    if case.rates[:, :, case.subject.area].std() < 1e-12:
        return
    # Without memories the lagged frames are all that a design knows of the past.
    alone = not any(one.memory for one in map_inputs(case.design))
    for name in ("history", "maps", "calendar"):
        if name in effect and effect[name] < IGNORED:
            severe = "high" if name == "maps" or (name == "history" and alone) else "low"
            yield Finding(
                "ignored_input", None, severe, {"input": name, "change": effect[name]},
                f"The network doesn't use its {name}: it answers the same without.",
            )  # fmt: skip
    lags = {n: e for n, e in effect.items() if n.startswith("lag ")}
    # Beside the lag that matters most: a network that corrects little does so for every lag.
    silent = [n for n, e in lags.items() if e < min(IGNORED, FAINT * max(lags.values()))]
    if alone and silent and len(silent) < len(lags) and effect["history"] >= IGNORED:
        kept = [lag for lag in case.design.lags if f"lag {lag}" not in silent]
        share = len(silent) / len(lags)
        yield Finding(
            "ignored_input", None, "high" if share >= 0.5 else "medium" if share > 0.25 else "low",
            {"input": silent, "largest_change": max(effect[n] for n in silent)},
            f"The network doesn't use {', '.join(silent)}: take them out, or let a layer reach them.",
            {"lags": kept} if case.is_spec and not any(n.kind == "select" for n in case.nodes) else {},
        )  # fmt: skip


def _middle(case: Case) -> tuple[int, int]:
    rows, columns = np.nonzero(case.subject.area)
    centre = np.hypot(rows - rows.mean(), columns - columns.mean()).argmin()
    return int(rows[centre]), int(columns[centre])


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
