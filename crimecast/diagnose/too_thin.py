"""Too few events for the cell and step chosen: nothing but their level can be learnt.

Counts below five events a cell over the training period, or ten in the whole city a step; the cell and step that
would have them are named, by cells of 100 m and the usual steps.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.thin import advice, enough


def judge(case: Case) -> Iterator[Finding]:
    """What would be enough."""
    cube, train = case.subject.cube, case.run.settings.train
    events, cells = float(case.of_cells.sum()), float(case.subject.area.sum())
    cell, step = enough(events, cells, train, cube.cell, cube.step.days)
    if cell is None and step is None:
        return
    each, a_step = events / cells, events / train
    yield Finding(
        "too_thin", None, "medium", {"events": events, "events_a_cell": each, "events_a_step": a_step, "cell_that_would_do": cell or cube.cell, "step_that_would_do": step or str(cube.step)},
        f"{events:,.0f} events in training are {each:.1f} a cell and {a_step:.1f} a step: too few, as a rule, to learn more than their level. Grid with {advice(cell, step)}, or more types together.",
    )  # fmt: skip
