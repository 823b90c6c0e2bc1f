"""The report of unseen data stands by itself and says what its trials gave."""

import re

import numpy as np

from crimecast.forecasting.unseen import gain, gain_map, trials
from crimecast.reporting.unseen import unseen_report
from crimecast.runs.run import load_run


def test_it_stands_by_itself_and_says_what_was_gained(sample: str) -> None:
    run = load_run("stack-1")
    (trial,) = trials(run)
    made = {**gain(run.id, trial), "map": gain_map(run.id, trial)}
    text = unseen_report(run, [trial], {run.id: {trial.name: made}}, [run.id])
    assert f"{made['difference']:+.4f} ({made['interval'][0]:+.4f} to" in text
    assert trial.meaning in text
    assert "Simulated".lower() in text
    addresses = re.findall(r"(?:src|href)='([^']*)'", text)
    assert len(addresses) == 2  # a map and its colours
    assert all(a.startswith("data:image/png;base64,") for a in addresses)
    assert not re.search(r"https?://|<script|@import", text)
    assert np.isfinite(made["map"][trial.cells]).any()


def test_a_name_that_looks_like_html_stays_text(sample: str) -> None:
    run = load_run("stack-1")
    (trial,) = trials(run)
    made = {**gain(run.id, trial), "map": gain_map(run.id, trial)}
    assert "<b>x" not in unseen_report(run, [trial], {"<b>x": {trial.name: made}}, ["<b>x"])
