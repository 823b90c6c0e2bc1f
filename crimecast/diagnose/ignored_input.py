"""Inputs that change nothing when they are blanked: the history, single lags, input maps, the calendar.

Counts below a tenth of a per cent of the rate (root mean square over cells and probe steps); a lag
must also have less than 2 % of the effect of the lag that matters most, since a network that corrects
little does so for every lag. High for all maps (unless the offset is the only one), for the history where no memory stands in for it, and
for half of the lags.
"""

from collections.abc import Iterator

from crimecast.designs.inputs import map_inputs
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FAINT = 0.02
IGNORED = 1e-3


def judge(case: Case) -> Iterator[Finding]:
    """Inputs to take out, or to reach."""
    effect = case.effect
    if case.rates[:, :, case.subject.area].std() < 1e-12:
        return
    # Without memories the lagged frames are all that a design knows of the past.
    alone = not any(one.memory for one in map_inputs(case.design))
    # The offset's own map tells the network nothing that the forecast lacks without it.
    more = any(one.kind != "offset" for one in map_inputs(case.design))
    for name in ("history", "maps", "calendar"):
        if name in effect and effect[name] < IGNORED:
            severe = "high" if (name == "maps" and more) or (name == "history" and alone) else "low"
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
