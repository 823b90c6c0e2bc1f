"""Two days beside one another: on one scale, and the second minus the first."""

import json

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.forecasting.unseen import unseen_period
from crimecast.runs.run import load_run
from crimecast.views.forecast import forecast_view
from crimecast.views.two_days import SAYS, two_days


@pytest.mark.parametrize("what", SAYS)
def test_two_days(sample: str, what: str) -> None:
    view = forecast_view("stack-1", "memory_mixture", "all", *unseen_period(load_run("stack-1")))
    one, two = view.first + 3, view.first + 9
    data = two_days(view, load_city("sample"), one, two, what)
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    first, second, difference = head["panels"]
    assert first["title"] == f"{what.capitalize()}, {view.label(one)}"
    assert second["title"] == f"{what.capitalize()}, {view.label(two)}"
    assert first["group"] == second["group"] == "rate"
    assert difference["low"] == -difference["high"] < 0
    values = view.forecast if what == SAYS[0] else view.observed
    apart = values[two - view.first].astype(float) - values[one - view.first]
    cells = apart.size
    codes = np.frombuffer(data[-2 * cells :], dtype="<u2").reshape(apart.shape).astype(float)
    low, high = difference["low"], difference["high"]
    shown = low + codes / 65535 * (high - low)
    inside = view.area & (abs(apart) < high)
    assert abs(shown - apart)[inside].max() < 1e-3 * max(1.0, high)
