"""Columns are guessed from their names, and wrong ones are named."""

import pytest

from crimecast.cities import load_city
from crimecast.errors import UserError
from crimecast.reading.columns import guess, plain, resolve


@pytest.mark.parametrize(
    ("columns", "time", "place", "kind"),
    [
        (["ID", "Date", "Primary Type", "Latitude", "Longitude"], ["Date"], "Longitude", "Primary Type"),
        (["DR_NO", "DATE OCC", "TIME OCC", "Crm Cd Desc", "LAT", "LON"], ["DATE OCC", "TIME OCC"], "LON", "Crm Cd Desc"),
        (["Dates", "Category", "X", "Y"], ["Dates"], "X", "Category"),
        (["TYPE", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "X", "Y"], ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE"], "X", "TYPE"),
    ],
)  # fmt: skip
def test_usual_tables(columns: list[str], time: list[str], place: str, kind: str) -> None:
    found = guess(columns)
    assert (found["time"], found["longitude"], found["type"]) == (time, [place], [kind])


def test_a_citys_own_columns_come_first(data: object) -> None:
    columns = ["id", "date", "primary_type", "description", "latitude", "longitude", "updated_on"]
    assert guess(columns, load_city("chicago"))["time"] == ["date"]


def test_a_mapping_overrides_and_may_join_columns() -> None:
    found = resolve(["a", "b", "lat", "lon"], {"date": "a+b"})
    assert found["time"] == ["a", "b"]
    assert resolve(["a+b", "lat", "lon"], {"time": "a+b"})["time"] == ["a+b"]


@pytest.mark.parametrize(
    ("columns", "mapping", "text"),
    [
        (["when", "lat", "lon"], {}, "No column was found for the time"),
        (["when", "lat", "lon"], {"time": "then"}, "There is no column 'then'; the columns are when, lat, lon"),
        (["when", "lat", "lon"], {"colour": "when"}, "'colour' can't be mapped"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(columns: list[str], mapping: dict[str, str], text: str) -> None:
    with pytest.raises(UserError, match=text):
        resolve(columns, mapping)


def test_plain() -> None:
    assert plain("  Crm Cd-Desc ") == "crm_cd_desc"
