"""Numbers of places as other keyboards, bookkeepers and maps write them; clocks of nights that are counted on."""

import numpy as np
import polars as pl
import pytest

from crimecast.reading import clocks
from crimecast.reading.coordinates import numbers, point_form, points
from crimecast.reading.parts import Parts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-23 33 40.07", -(23 + 33 / 60 + 40.07 / 3600)), ("51·54056", 51.54056), ("٤١٫٨٧٨١", 41.8781), ("−58.49", -58.49),
        ("(58.488902)", -58.488902), ("46.617431-", -46.617431), ("-46.617.431", -46_617_431.0), ("41,8781", 41.8781),
        ("1,162,147.5", 1_162_147.5), ("87.62 W", -87.62),
    ],
)  # fmt: skip
def test_a_number_however_it_is_written(text: str, value: float) -> None:
    assert numbers(Parts.one(pl.Series([text, text]))).first[0] == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "52,552979; 13,454484", "52,552979, 13,454484", "52.552979|13.454484", "52.552979 / 13.454484", "geo:52.552979,13.454484",
        "https://maps.google.com/?q=52.552979,13.454484", "https://www.google.com/maps/@52.552979,13.454484,17z",
    ],
)  # fmt: skip
def test_a_pair_however_it_is_written(text: str) -> None:
    column = pl.Series([text] * 5)
    assert point_form(Parts.one(column)) == "pair"
    first, second = points(column, "pair")
    assert np.allclose([first[0], second[0]], [52.552979, 13.454484])


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("24:10", 1450), ("25:10", 1510), ("29:59", 1799), ("9h00min", 540), ("04:35 hs.", 275), ("0339h", 219)],
)  # fmt: skip
def test_clocks_of_nights_and_of_other_habits(text: str, minutes: int) -> None:
    found = clocks.lex(text)
    assert found is not None
    assert found.micros == minutes * 60_000_000
    assert clocks.lex("30:00") is None
