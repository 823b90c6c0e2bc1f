"""Earlier frames of which nothing at all arrives while others do: masked, cut off, or never read.

Counts for any lag whose blanking changes the log rate by nothing (1e-9), where another's does; high for half of the lags where no
offset stands in for them, medium for a quarter or where a nearer lag is cut off than one that is used, else low.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.diagnose.ignored_input import IGNORED, MASKED


def judge(case: Case) -> Iterator[Finding]:
    """Which of them, and whether that is meant."""
    effect = case.effect
    lags = {n: e for n, e in effect.items() if n.startswith("lag ")}
    silent = [n for n, e in lags.items() if e < MASKED]
    if not silent or len(silent) == len(lags) or effect["history"] < IGNORED:
        return
    share, alone = len(silent) / len(lags), case.design.offset == "none"
    nearer = next(iter(lags)) in silent
    some = share > 0.25 or (nearer and alone)
    severity = "high" if share >= 0.5 and alone else "medium" if some else "low"
    kept = [lag for lag in case.design.lags if f"lag {lag}" not in silent]
    them = "it" if len(silent) == 1 else "them"
    yield Finding(
        "ignored_input", None, severity, {"input": silent, "largest_change": max(effect[n] for n in silent)},
        f"Nothing of {', '.join(silent)} reaches the forecast: a mask, a slice or a constant shuts {them} off. Let a layer read {them}, or take the lags out.",
        {"lags": kept} if case.is_spec and not any(n.kind == "select" for n in case.nodes) else {},
    )  # fmt: skip
