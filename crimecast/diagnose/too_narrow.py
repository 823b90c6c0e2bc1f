"""A layer that everything passes through, far narrower than what it takes and what is made of it.

Counts if its channels are fewer than an eighth of the geometric mean of both widths: a network that
narrows step by step towards its rates, as most do, is left in peace (bench/results/planted.md). High
for one or two channels.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.inspect.graph import Node

NARROW = 8


def judge(case: Case) -> Iterator[Finding]:
    """Bottlenecks."""
    given = case.subject.samples.maps.shape[1] + len(case.design.lags) * len(
        case.subject.cube.types
    )
    for node in case.nodes:
        if node.parameters == 0 or node.name == case.last or len(node.shape) < 3:
            continue
        after = [n.shape[-3] for n in _followers(case, node)]
        if not after or case.is_bypassed(node.name):
            continue
        widths = [*_widths(case, node), *([given] if "inputs" in node.takes else [])]
        own, before = node.shape[-3], max(widths, default=given)
        if own * NARROW <= (before * max(after)) ** 0.5:
            plural = "s" if own > 1 else ""
            keep = int(max(8, min(before, max(after)) // 2))
            yield Finding(
                "too_narrow", node.name, "high" if own <= 2 else "medium",
                {"channels": own, "before": before, "after": max(after)},
                f"All that the network knows passes through the {own} channel{plural} of {node.name}: give it {keep}.",
                {f"layer.{node.name}.channels": keep} if case.is_free(node.name) else {},
            )  # fmt: skip


def _widths(case: Case, node: Node) -> list[int]:
    return [n.shape[-3] for n in case.nodes if n.name in node.takes and len(n.shape) >= 3]


def _followers(case: Case, node: Node) -> list[Node]:
    """The layers with weights that are made of this one, past whatever has none."""
    ahead, made, seen = [node.name], [], set()
    while ahead:
        at = ahead.pop()
        for other in case.nodes:
            if at in other.takes and other.name not in seen:
                seen.add(other.name)
                if other.parameters and len(other.shape) >= 3:
                    made.append(other)
                else:
                    ahead.append(other.name)
    return made
