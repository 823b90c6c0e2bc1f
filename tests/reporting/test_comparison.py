"""A comparison's report stands by itself and says what the table of the same forecasts says."""

import re

import pytest

from crimecast.errors import UserError
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.reporting.comparison import comparison_report
from crimecast.reporting.model_card import NOT_FOR
from crimecast.runs.run import load_run
from crimecast.views.compare import Comparison


def test_a_comparison_stands_by_itself(sample: str) -> None:
    period = unseen_period(load_run("stack-1"))
    view = Comparison(load_cube(sample), *period, ("stack-1", "mean"), "memory_mixture")
    text = comparison_report(view)
    addresses = re.findall(r"(?:src|href)='([^']*)'", text)
    assert len(addresses) == 12
    assert all(a.startswith("data:image/png;base64,") for a in addresses)
    assert not re.search(r"https?://|<script|@import", text)
    for row in view.table():
        assert f"<td>{row['log_likelihood_per_event']:.4f}</td>" in text
        if "versus" in row:
            assert f"{row['versus']['difference']:+.4f}" in text
    assert NOT_FOR[0].split(".")[0].replace("'", "&#x27;") in text
    with pytest.raises(UserError, match="at least two"):
        comparison_report(Comparison(load_cube(sample), *period, ("mean",), "mean"))
