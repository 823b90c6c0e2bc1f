"""Names in charts are no HTML, and numbers and dates stay what they are."""

import json

import numpy as np

from crimecast.plots import figures, judging
from crimecast.plots.plain import plain

EVIL = '<a href="http://evil.test">A & B</a>'
SHOWN = '&lt;a href="http://evil.test"&gt;A &amp; B&lt;/a&gt;'


def test_no_figure_takes_a_name_for_html() -> None:
    curve = (np.linspace(0, 1, 3), np.linspace(0, 1, 3))
    for figure in (
        figures.bars_figure([EVIL], [1], EVIL),
        figures.signed_bars_figure([EVIL], [1.0], EVIL),
        figures.table_figure([EVIL], [EVIL], np.ones((1, 1)), "x", False),
        judging.hits_figure({EVIL: curve}),
        judging.hits_gain_figure({EVIL: curve, "b": curve}, EVIL),
        judging.gain_maps_figure({EVIL: np.ones((2, 2))}, False),
    ):
        before = figure.to_json()
        made = plain(figure)
        written = str(made.to_dict())
        assert EVIL in str(figure.to_dict())
        assert EVIL not in written
        assert SHOWN in written
        assert json.loads(figure.to_json()) == json.loads(
            before
        )  # the table beside it is made from the names


def test_numbers_and_dates_stay() -> None:
    times = np.arange("2020-01", "2020-03", dtype="datetime64[D]")
    figure = figures.counts_figure(times, np.arange(len(times)), "records")
    assert json.loads(plain(figure).to_json()) == json.loads(figure.to_json())
