"""An address leads to a preview, a registry entry and a crawl; private networks are refused."""

from pathlib import Path

import pytest

from crimecast.cities import City, load_city, write_city
from crimecast.crawling import crawl_city
from crimecast.crawling.discover import look_at
from crimecast.errors import UserError
from crimecast.grids.grid import make_grid
from crimecast.records.snapshot import snapshot
from crimecast.sources.public import check_public
from tests.portal import Portal, chicago_rows
from tests.sources.layer import PATH, Layer, features


def test_a_socrata_address_becomes_a_city_that_can_be_crawled_and_gridded(data: Path) -> None:
    with Portal(chicago_rows(300)) as portal:
        found = look_at(f"{portal.url}/Public-Safety/Crimes/abcd-1234/about_data", guarded=False)
        assert (found.kind, found.dataset) == ("socrata", "abcd-1234")
        assert found.guessed["time"] == "date"
        assert found.rows.height == 20
        write_city(
            City(
                "new",
                "New",
                "America/Chicago",
                "EPSG:32616",
                sources=(found.source(found.guessed),),
            )
        )
        assert crawl_city("new")["added"] == 300
        assert load_city("new").bounds is not None
        made = make_grid("new")
        assert made["events"] + made["dropped"] == 300


def test_an_arcgis_layer_becomes_a_city_that_can_be_crawled(data: Path) -> None:
    with Layer(features(120)) as layer:
        found = look_at(f"{layer.url}{PATH}/query?where=1=1", guarded=False)
        assert (found.kind, found.dataset) == ("arcgis", PATH)
        columns = {**found.guessed, "time": "occurred", "type": "offense"}
        write_city(
            City("arc", "Arc", "Europe/Berlin", "EPSG:32632", sources=(found.source(columns),))
        )
        result = crawl_city("arc", page_size=7)
        assert (result["added"], result["dropped"]) == (120, {"no place": 12})
        first = snapshot(load_city("arc")).scan().collect().row(0, named=True)
        assert str(first["time"]) == "2021-06-01 03:00:00"  # 01:00 UTC is 03:00 in Berlin
        assert "suspect" not in first
        # Read again: what is gone goes, what is new comes, nothing is doubled.
        del layer.features[5:9]
        layer.features.extend(features(130)[120:])
        again = crawl_city("arc")
        assert (again["added"], again["removed"]) == (10, 4)
        assert snapshot(load_city("arc")).report()["records"] == 126
        for feature in layer.features:
            feature["attributes"]["kind"] = feature["attributes"].pop("offense")
        with pytest.raises(UserError, match="no longer has the column 'offense'"):
            crawl_city("arc")


def test_a_narrower_period_of_a_layer_loses_nothing_that_is_stored(data: Path) -> None:
    with Layer(features(120)) as layer:
        found = look_at(f"{layer.url}{PATH}", guarded=False)
        columns = {**found.guessed, "time": "occurred", "type": "offense"}
        write_city(
            City("arc", "Arc", "Europe/Berlin", "EPSG:32632", sources=(found.source(columns),))
        )
        assert crawl_city("arc")["added"] == 120
        again = crawl_city("arc", since="2021-06-03")
        assert (again["added"], again["removed"]) == (0, 0)
        assert snapshot(load_city("arc")).report()["records"] == 120


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.8", "192.168.1.1", "169.254.169.254", "::1"]
)
def test_private_addresses_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="private network"):
        check_public(host)
    monkeypatch.setenv("CRIMECAST_ALLOW_PRIVATE", "1")
    check_public(host)


def test_a_crawl_from_the_app_is_guarded(data: Path) -> None:
    with Portal(chicago_rows(10)) as portal:
        with pytest.raises(UserError, match="private network"):
            crawl_city("chicago", url=portal.url, guarded=True)
        with pytest.raises(UserError, match="private network"):
            look_at(f"{portal.url}/resource/abcd-1234.json")
        assert not portal.requests


@pytest.mark.parametrize(
    "address", ["", "ftp://x/abcd-1234", "javascript:alert(1)", "https://example.org/nothing"]
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(UserError, match=r"is not a web address|names neither"):
        look_at(address)
