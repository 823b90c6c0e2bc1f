"""Of many parameters a few with the unit tests, all with the long ones."""

from collections.abc import Iterable
from typing import Any

import pytest


def few(values: Iterable[Any], count: int = 1) -> list[Any]:
    """The first `count` as they are, the others marked `long`; tuples are several arguments."""
    made = []
    for number, value in enumerate(values):
        parts = value if isinstance(value, tuple) else (value,)
        made.append(value if number < count else pytest.param(*parts, marks=pytest.mark.long))
    return made
