"""A report stands by itself, escapes what it is given, and says what a forecast must not be used for."""

import base64
import io
import re

import numpy as np
from PIL import Image

from crimecast.reporting.model_card import NOT_FOR
from crimecast.reporting.page import figure
from crimecast.reporting.pictures import picture
from crimecast.reporting.report import report
from crimecast.runs.run import load_run


def test_a_report_stands_by_itself(sample: str) -> None:
    text = report(load_run("stack-1"))
    addresses = re.findall(r"(?:src|href)='([^']*)'", text)
    assert len(addresses) > 10
    assert all(a.startswith("data:image/png;base64,") for a in addresses)
    assert not re.search(r"https?://|<script|@import", text)
    for sentence in NOT_FOR:
        assert sentence.split(".")[0].replace("'", "&#x27;") in text
    assert "log-likelihood an event" in text
    assert "memory_mixture" in text
    assert "<h1>stack-1</h1>" in text


def test_pictures_show_the_values_north_up() -> None:
    values = np.zeros((3, 2))
    values[2, 1] = 4.0
    area = np.ones((3, 2), bool)
    area[0, 0] = False
    data = base64.b64decode(picture(values, area, "sequential", 0.0, 4.0).split(",")[1])
    image = np.asarray(Image.open(io.BytesIO(data)))
    side = image.shape[0] // 3
    assert image[0, side + 1].tolist() != image[0, 0].tolist()  # the busy cell, in the north-east
    assert image[-1, 0, 3] == 0  # the cell outside is clear
    assert image[-1, -1, 3] == 255


def test_captions_are_escaped() -> None:
    assert "<b>" not in figure("data:x", "<b>'bold'</b>")
