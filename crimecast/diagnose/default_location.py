"""One cell that holds far more than any other: a default location, such as a police station, or a real one.

Counts when a cell holds more than 3 % of the events of the training period and four times what the second does.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

SHARE, TIMES = 0.03, 4.0


def judge(case: Case) -> Iterator[Finding]:
    """Which cell, and what it holds."""
    counts = case.of_cells
    second, most = np.sort(counts, axis=None)[-2:]
    share = float(most / max(1, counts.sum()))
    if share > SHARE and most > TIMES * max(second, 1):
        row, column = np.unravel_index(int(counts.argmax()), counts.shape)
        yield Finding(
            "default_location", None, "medium", {"row": int(row), "column": int(column), "share": share, "times_the_second": float(most / max(second, 1))},
            f"{100 * share:.0f} % of all events are in one cell, {most / max(second, 1):.0f} times as many as in any other: if it stands for unknown places, leave it out of the records; the network spends its effort on it.",
        )  # fmt: skip
