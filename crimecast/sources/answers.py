"""What portals answer, held against the form that it should have: everything else is refused at once,
since asking again would bring the same."""

import math
from collections.abc import Iterable
from typing import Any

from typing_extensions import TypedDict

from crimecast.sources.http import Refused
from crimecast.storage.forms import Damaged, formed


class Field(TypedDict, total=False):
    """A column as an ArcGIS layer describes it."""

    name: str
    type: str | None


class About(TypedDict, total=False):
    """What is looked at of an ArcGIS layer's description."""

    type: str | None
    fields: list[Field] | None
    objectIdField: str | None
    maxRecordCount: int | None
    geometryType: str | None
    datesInUnknownTimezone: bool | None
    advancedQueryCapabilities: dict[str, Any] | None


class Column(TypedDict):
    """A column as CKAN names it."""

    id: str


def answered(form: Any, value: Any) -> Any:
    """`value` as the type `form` says. Raises Refused, which names the first field that is wrong."""
    try:
        return formed(form, value, "the answer")
    except Damaged as error:
        raise Refused(200, str(error).rstrip(".")) from None


def rows(value: Any) -> list[dict[str, Any]]:
    """The rows of a page. Raises Refused for anything else."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Refused(200, "the answer is not a list of rows")
    return value


def keys(values: Iterable[Any], after: int | None = None) -> list[int]:
    """The numbers by which rows are paged. Raises Refused for what is none, or where a page ends no
    further than the one before it did, which would go on for ever."""
    numbers = []
    for value in values:
        try:
            numbers.append(whole(value))
        except ValueError:
            raise Refused(200, "a row of the answer has no number") from None
    if numbers and after is not None and numbers[-1] <= after:
        raise Refused(200, "it answers with rows that were asked for before")
    return numbers


def whole(value: Any) -> int:
    """A count or a number as portals write it, as a number or a text. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.40} is no number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("no number")
    number = int(value)
    if abs(number) >= 2**63:
        raise ValueError("a number beyond all counting")
    return number


def real(value: Any) -> float | None:
    """A coordinate as portals write it; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
