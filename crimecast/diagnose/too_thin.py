"""Too few events for the cell and step chosen: nothing but their level can be learnt.

Counts below five events a cell over the training period, or ten in the whole city a step; the cell and step that
would have them are named, by cells of 100 m and the usual steps.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

EACH, WHOLE = 5.0, 10.0
STEPS = ((1 / 24, "1h"), (0.25, "6h"), (1.0, "1d"), (7.0, "1w"), (30.4, "1mo"))


def judge(case: Case) -> Iterator[Finding]:
    """What would be enough."""
    cube, train = case.subject.cube, case.run.settings.train
    events = float(case.of_cells.sum())
    each, a_step = events / case.subject.area.sum(), events / train
    if each >= EACH and a_step >= WHOLE:
        return
    cell = cube.cell * max(1.0, np.sqrt(EACH / max(each, 1e-9)))
    cell = float(np.ceil(cell / 100) * 100)
    days = cube.step.days * max(1.0, WHOLE / max(a_step, 1e-9))
    step = next((name for size, name in STEPS if size >= 0.99 * days), "1mo")
    same_cell, same_step = cell <= cube.cell, days <= cube.step.days
    parts = [] if same_cell else [f"cells of {cell:,.0f} m"]
    parts += [] if same_step else [f"steps of {step}"]
    yield Finding(
        "too_thin", None, "medium", {"events": events, "events_a_cell": each, "events_a_step": a_step, "cell_that_would_do": cell, "step_that_would_do": step},
        f"{events:,.0f} events in training are {each:.1f} a cell and {a_step:.1f} a step: too few to learn more than their level. Grid with {' and '.join(parts)}, or more types together.",
    )  # fmt: skip
