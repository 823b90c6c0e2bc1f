"""What the Peaks view says of the input that excites a channel most."""

import json

import numpy as np

from crimecast.runs.run import load_run
from crimecast.views.beside import channel_peaks
from crimecast.views.exciting import SHOWN, channel_exciting, exciting_message, inputs_of


def test_it_reaches_beyond_the_highest_peak_and_names_what_was_changed(sample: str) -> None:
    run = load_run("stack-1")
    made = channel_exciting(run.id, run.stamp, "wide_1", 3)
    peak = channel_peaks(run.id, run.stamp, "wide_1", 3)[0]
    assert np.isclose(made.real.max(), peak.value, rtol=1e-4)
    assert made.value > peak.value
    inputs = inputs_of(run, made)
    heights = [float(np.abs(values).max()) for _, values in inputs]
    assert heights == sorted(heights, reverse=True)
    assert "counts 1 step before" in dict(inputs)
    assert not any(name.startswith("position") for name, _ in inputs)  # they never vary
    packed = exciting_message(run, made, inputs)
    size = int.from_bytes(packed[:4], "little")
    head = json.loads(packed[4 : 4 + size])
    assert [panel["title"] for panel in head["panels"]] == [name for name, _ in inputs[:SHOWN]]
