"""What a reader has to tell: something that was decided in doubt, left out, or looks wrong."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """`code` names the kind, `says` is the sentence, `rows` how many records it concerns."""

    code: str
    says: str
    rows: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)
