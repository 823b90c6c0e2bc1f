"""Layers whose weights no gradient reaches though the forecast is made of them: detached, or frozen.

Counts for any layer with weights of its own that the forecast reads, and that get no gradient at all; high where it
is detached, medium where `requires_grad` is off, which may be meant.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding


def judge(case: Case) -> Iterator[Finding]:
    """Each of them, by the cause."""
    detached = [name for name in case.without_gradient if name in case.weights_used]
    if detached:
        name = detached[0]
        yield Finding(
            "frozen", name, "high", {"layers": detached, "cause": "detached"},
            f"No gradient reaches {', '.join(detached[:4])}, though the forecast is made of {'it' if len(detached) == 1 else 'them'}: "
            "a detach, no_grad or rounding after it cuts it off, so it stays as it was begun. Take that away.",
        )  # fmt: skip
    still = [
        name
        for name, module in case.subject.network.named_modules()
        if name in case.weights_used
        and (own := list(module.parameters(recurse=False)))
        and not any(p.requires_grad for p in own)
    ]
    if still:
        yield Finding(
            "frozen", still[0], "medium", {"layers": still, "cause": "requires_grad is off"},
            f"{', '.join(still[:4])} {'does' if len(still) == 1 else 'do'} not learn: requires_grad is off. If that isn't meant, leave it on.",
        )  # fmt: skip
