"""Peaks are where a channel's values over all steps are highest."""

import numpy as np

from crimecast.grids.cube import load_cube
from crimecast.inspect.activations import activations_of_steps
from crimecast.inspect.peaks import peaks
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run


def test_peaks_are_the_highest_values_of_each_step_in_order(sample: str) -> None:
    run = load_run("stack-1")
    area = run.area(load_cube(sample))
    steps = list(range(600, 650))
    made = peaks(subject(run), "wide_1", 3, steps, area, count=5)
    values = activations_of_steps(run, steps, ["wide_1"])["wide_1"][:, 3]
    inside = np.where(area, values, -np.inf)
    best = np.argsort(-inside.max(axis=(1, 2)), kind="stable")[:5]
    assert [peak.step for peak in made] == [steps[i] for i in best]
    for peak, i in zip(made, best, strict=True):
        assert area[peak.cell]
        assert peak.value == peak.map[peak.cell] == inside[i].max()
        assert np.array_equal(peak.map, values[i])
