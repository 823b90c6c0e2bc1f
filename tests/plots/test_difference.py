"""The app, the report and the exports say the same of the same error: actual minus forecast, orange above zero."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from crimecast.cities import load_city
from crimecast.forecasting.unseen import unseen_period
from crimecast.plots.colours import colour_table
from crimecast.plots.difference import TITLE, WORDS, difference
from crimecast.reporting.pictures import picture
from crimecast.reporting.report import report
from crimecast.runs.run import load_run
from crimecast.views.forecast import forecast_view

EVENTS = np.array([[3.0, 0.0]])
FORECAST = np.array([[1.0, 2.0]])


def orange(colour: np.ndarray) -> bool:
    return bool(int(colour[0]) > int(colour[2]) + 40)


def test_more_than_forecast_is_orange_in_a_picture() -> None:
    error = difference(EVENTS, FORECAST)
    address = picture(error, np.ones((1, 2), bool), "diverging", -2, 2)
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))
    assert orange(image[0, 0])
    assert not orange(image[0, -1])
    assert orange(colour_table("diverging", "light")[255])
    assert orange(colour_table("diverging", "dark")[200])


@pytest.mark.long
def test_app_and_report_say_the_same(sample: str) -> None:
    run = load_run("stack-1")
    view = forecast_view(run.id, "memory_mixture", "all", *unseen_period(run))
    data = view.message(load_city("sample"), view.first, None)
    head = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    panel = next(one for one in head["panels"] if one["minus"])
    titles = [one["title"] for one in head["panels"]]
    assert [titles[i] for i in panel["minus"]] == [
        "Actual",
        "Forecast",
    ]  # the first minus the second
    assert panel["title"] == TITLE
    assert WORDS in panel["unit"]
    text = report(run)
    assert TITLE in text
    assert WORDS in text
    assert not re.search("forecast minus|too much forecast|orange: too much", text)
