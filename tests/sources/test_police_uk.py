"""London's crimes are read out of the archives of data.police.uk, as a crawl and as a file."""

import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from crimecast.cities import load_city, write_city
from crimecast.crawling import crawl_city
from crimecast.errors import UserError
from crimecast.grids.grid import make_grid
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from crimecast.sources import http, police_uk
from tests.sources.archive import Archives, archive

FORCES = ["city-of-london", "metropolitan", "metropolitan-rail", "west-midlands"]
LATE = archive(["2024-01", "2024-02", "2024-03"], FORCES)
EARLY = archive(["2023-11", "2023-12"], FORCES)
HELD = {"latest": LATE, "2024-03": LATE, "2023-12": EARLY}
MONTHS = 5
ROWS = 2 * 40 * MONTHS


def events() -> pl.DataFrame:
    return snapshot(load_city("london")).scan().collect()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.Client, "rest", lambda self, attempt, asked: None)
    monkeypatch.setattr(police_uk, "AHEAD", 500)


def test_a_crawl_reads_the_crimes_of_its_forces_alone(data: Path) -> None:
    with Archives(HELD) as portal:
        result = crawl_city("london", url=portal.url)
        assert result["read"] == ROWS
        assert result["dropped"] == {"no place": 2 * MONTHS}
        found = events()
        assert found.height == ROWS - 2 * MONTHS
        assert set(found["time"].dt.day()) == {1}
        assert Counter(found["time"].dt.strftime("%Y-%m")) == {
            month: 78 for month in ("2023-11", "2023-12", "2024-01", "2024-02", "2024-03")
        }
        assert found.filter(pl.col("type") == "anti-social behaviour").height == 20 * MONTHS
        assert "months_only" in [notice["code"] for notice in result["notices"]]
        assert "first_of_month" not in [notice["code"] for notice in result["notices"]]
        again = crawl_city("london", url=portal.url)
        assert (again["added"], again["corrected"], again["removed"]) == (0, 0, 0)
        assert events().equals(found)
        given = sum(end - begin for _, begin, end in portal.asked)
        assert given < 2 * 1.5 * (len(LATE) + len(EARLY))  # of two crawls, with what is read ahead


def test_steps_shorter_than_a_month_get_a_sentence(data: Path) -> None:
    with Archives(HELD) as portal:
        crawl_city("london", url=portal.url)
    with pytest.raises(UserError, match=r"London give the month alone: make a grid of months"):
        make_grid("london", 1000, "1d")
    assert make_grid("london", 1000, "1mo")["events"] == ROWS - 2 * MONTHS


def test_a_period_is_that_of_its_months(data: Path) -> None:
    with Archives(HELD) as portal:
        crawl_city("london", since="2023-12-01", until="2024-02-01", url=portal.url)
    assert set(events()["time"].dt.strftime("%Y-%m")) == {"2023-12", "2024-01"}


def test_what_the_portal_no_longer_has_is_removed(data: Path) -> None:
    with Archives(HELD) as portal:
        crawl_city("london", url=portal.url)
    later = {**HELD, "latest": archive(["2024-01", "2024-02"], FORCES)}
    with Archives(later) as portal:
        result = crawl_city("london", url=portal.url)
    assert result["removed"] == 80
    assert "2024-03" not in set(events()["time"].dt.strftime("%Y-%m"))


def test_what_cant_be_read_gets_a_sentence(data: Path) -> None:
    with (
        Archives(HELD, whole=True) as portal,
        pytest.raises(UserError, match=r"gives no parts of /data/archive/latest\.zip"),
    ):
        crawl_city("london", url=portal.url)
    with (
        Archives({"latest": b"x" * 5000}) as portal,
        pytest.raises(UserError, match="is none: File is not a zip file"),
    ):
        crawl_city("london", url=portal.url)
    with (
        Archives({"latest": archive(["2024-01"], ["kent"])}) as portal,
        pytest.raises(UserError, match="no crimes of 'metropolitan'; its forces are kent"),
    ):
        crawl_city("london", url=portal.url)
    with Archives({}) as portal, pytest.raises(UserError, match="refuses"):
        crawl_city("london", url=portal.url)
    city = load_city("london")
    columns = {**city.sources[0].columns, "type": "Offence"}
    write_city(replace(city, sources=(replace(city.sources[0], columns=columns),)))
    with (
        Archives(HELD) as portal,
        pytest.raises(UserError, match="no longer has the column 'Offence'"),
    ):
        crawl_city("london", url=portal.url)


def test_an_archive_as_a_file(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "2024-03.zip"
    path.write_bytes(archive(["2024-01", "2024-02", "2024-03"], FORCES[:2]))
    result = import_file("town", path, zone="Europe/London")
    said = {notice["code"]: notice["says"] for notice in result["notices"]}
    assert said["left_out"] == (
        "12 files hold no crimes and are left out: 6 of outcomes and 6 of stops and searches "
        "(2024-01-city-of-london-outcomes.csv, 2024-01-city-of-london-stop-and-search.csv, "
        "2024-01-metropolitan-outcomes.csv …)."
    )
    assert said["months_only"].startswith("Only months are given, no day or hour")
    assert result["columns"] == {
        "time": ["Month"],
        "longitude": ["Longitude"],
        "latitude": ["Latitude"],
        "type": ["Crime type"],
        "source_id": ["Crime ID"],
    }
    assert (result["read"], result["dropped"]) == (240, {"no place": 6})
    assert import_file("town", path)["added"] == 0
    with Archives(HELD) as portal:  # a crawl knows what was imported
        crawl_city("london", since="2024-01-01", url=portal.url)
    import_again = import_file("london", path)
    assert import_again["added"] == 0


def test_an_archive_without_crimes(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("2024-01/2024-01-kent-outcomes.csv", "a,b\n1,2\n")
    with pytest.raises(UserError, match="outcomes or stops and searches, no crimes"):
        import_file("town", path, zone="Europe/London")
