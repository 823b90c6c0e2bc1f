"""A finding: what is wrong, with the numbers it was judged by."""

from dataclasses import dataclass, field
from typing import Any

SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True)
class Finding:
    """What is wrong, where (None: the whole network), how badly, by which numbers, and what to do.

    `patch` maps fields of the spec (`training.learning_rate`, `layer.NAME.channels`) to new values;
    `layer.NAME` to None takes the layer out. Empty where no change to the spec can help. `consequences` are
    findings that follow from it: they go when it does.
    """

    code: str
    layer: str | None
    severity: str
    evidence: dict[str, Any]
    advice: str
    patch: dict[str, Any] = field(default_factory=dict)
    consequences: tuple["Finding", ...] = ()

    def whole(self) -> "list[Finding]":
        """The finding and all that follows from it."""
        return [self, *(one for under in self.consequences for one in under.whole())]

    def row(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "code": self.code, "layer": self.layer, "severity": self.severity,
            "evidence": self.evidence, "advice": self.advice, "patch": self.patch,
            "consequences": [one.row() for one in self.consequences],
        }  # fmt: skip

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> "Finding":
        """The finding that `row` gave."""
        under = tuple(cls.of_row(one) for one in row.get("consequences", ()))
        return cls(**{**row, "consequences": under})
