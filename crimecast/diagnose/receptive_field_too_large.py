"""A network that can see half the city and uses a small part of it.

The radius that holds nine tenths of the input gradient beside the exact field: counts below 12 % of a
field of more than 12 cells and 45 % of the city. Always low: it costs time, not score.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.inspect.receptive import effective_field, radius_holding, theoretical_field


def judge(case: Case) -> Iterator[Finding]:
    """A field that is paid for and not used."""
    cell = case.middle
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
