"""What the axes of a tensor say: its steps and its types."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from crimecast import Doubt, UserError
from crimecast.calendar.steps import Step, parse_date
from crimecast.grids.tensors import Tensor

MANY = 30  # types beyond which they seem to be steps
STEPS = ("1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w", "1mo")


@dataclass(frozen=True)
class Wanted:
    """What the user says of the file, since it may not say it itself; None where they don't.

    `origin` is the south-west corner (x, y) in metres of the city's CRS; `zone` and `crs` are those
    of a new city. `areas` is a GeoJSON file of the areas that the counts are of.
    """

    since: str | None = None
    step: str | None = None
    types: str | None = None
    cell: float | None = None
    origin: tuple[float, float] | None = None
    zone: str | None = None
    crs: str | None = None
    areas: Path | None = None


AS_FOUND = Wanted()


def times_of(tensor: Tensor, wanted: Wanted) -> tuple[np.ndarray, Step]:
    """The beginnings of the steps, and their unit, from the file or else from what the user says."""
    steps = tensor.values.shape[0]
    known = tensor.coordinates.get("time")
    if known is not None and np.issubdtype(known.dtype, np.datetime64):
        known = known.astype("datetime64[ns]")
        if wanted.since is not None and parse_date(wanted.since, "--since").astype(
            "datetime64[D]"
        ) != known[0].astype("datetime64[D]"):
            raise UserError(
                f"The file's first step is {str(known[0])[:16]}, not {wanted.since}: leave the date out, or mend the file."
            )
        for text in [wanted.step] if wanted.step else STEPS:
            unit = Step.parse(text)
            number = unit.number(known)
            if (unit.start(number) == known).all() and (np.diff(number) == 1).all():
                return known, unit
        gaps = np.diff(known)
        odd = np.flatnonzero(gaps != np.median(gaps.astype(np.int64)).astype("timedelta64[ns]"))
        where = f"; after {str(known[odd[0]])[:16]} the distance is another" if odd.size else ""
        raise UserError(
            f"The times of the file are no steps of {wanted.step or 'hours, days, weeks from Monday on or months'}"
            f" that follow each other{where}."
        )
    if known is not None and not _counted(known):
        raise UserError(
            f"The times of the file, such as {str(known[0])[:40]!r}, can't be read: write them as dates (2016-01-31), or leave them out "
            "and say when the first step begins."
        )
    if wanted.since is None:
        raise Doubt(
            "The file doesn't say when its first step begins; say it.", "--since 2016-01-01"
        )
    unit = Step.parse(wanted.step or "1d")
    first = parse_date(wanted.since, "--since").astype("datetime64[ns]")
    number = unit.number(np.array([first]))
    if first.astype("datetime64[D]") > np.datetime64(datetime.now(UTC).date()):
        raise UserError(f"The first step can't begin on {wanted.since}: that is still to come.")
    left = (np.datetime64("2262-01-01") - first.astype("datetime64[D]")).astype(int)
    if steps * unit.days > left:
        raise UserError(f"{steps:,} steps of a {unit.words} from {wanted.since} on end after 2261.")
    if unit.start(number)[0] != first:
        raise UserError(
            f"A step of a {unit.words} begins on {str(unit.start(number)[0])[:16]}, not on {wanted.since}."
        )
    return unit.start(number[0] + np.arange(steps)), unit


def _counted(labels: np.ndarray) -> bool:
    """Whether labels only number what they stand at."""
    if labels.dtype.kind not in "iuf" or labels.size < 2:
        return labels.dtype.kind in "iuf"
    return bool((np.diff(labels) == 1).all() and labels[0] in (0, 1))


def types_of(tensor: Tensor, wanted: Wanted) -> list[str]:
    """What the file or the user calls the types, numbers where nobody does. Raises UserError for two of one name."""
    kinds = tensor.values.shape[1]
    if kinds > MANY and kinds > tensor.values.shape[0]:
        raise UserError(
            f"The array has {kinds} types and only {tensor.values.shape[0]} steps: its axes seem to be in another order than was said."
        )
    known = tensor.coordinates.get("type")
    if wanted.types is not None:
        names = [part.strip().lower() for part in wanted.types.split(",")]
        labelled = known is not None and known.dtype.kind in "UOT"
        own = [str(one).strip().lower() for one in known] if known is not None and labelled else []
        if set(own) & set(names) and own != names:
            raise UserError(f"The file names its types itself: {', '.join(own)}, in that order.")
    elif known is not None and known.dtype.kind in "UOT":
        names = [str(name).strip().lower() for name in known]
    elif kinds == 1:
        names = ["all"]
    else:
        names = [f"type {number + 1}" for number in range(kinds)]
    if any(not one.isprintable() or len(one) > 200 for one in names):
        raise UserError("A type's name must be printable text of at most 200 characters.")
    if len(names) != kinds or len(set(names)) < kinds or "" in names:
        raise UserError(f"The array has {kinds} types; name each once, not {', '.join(names)}.")
    return names
