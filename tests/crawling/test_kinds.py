"""Portals as cities run them: each oddity is read right, or the crawl ends with a sentence."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crimecast.cities import City, Source, load_city, write_city
from crimecast.crawling import crawl_city
from crimecast.crawling.city import open_dataset
from crimecast.crawling.discover import dataset_id, look_at
from crimecast.errors import Doubt, UserError
from crimecast.reading.zones import agrees
from crimecast.records.snapshot import snapshot
from crimecast.sources import http
from crimecast.sources.socrata import headers_for
from tests import answers
from tests.portal import Portal, Row
from tests.sources.carto import Account, incidents
from tests.sources.layer import PATH, Layer, features
from tests.sources.resource import ID, DataStore, records

LAYER = {
    "source_id": "OBJECTID", "time": "occurred", "type": "offense",
    "longitude": "geometry.x", "latitude": "geometry.y",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait between attempts."""
    monkeypatch.setattr(http.Client, "rest", lambda self, attempt, asked: None)


def arc(layer: Layer, columns: dict[str, str] = LAYER, **more: Any) -> str:
    """A city near 9.9 E, 53.5 N whose source is that layer."""
    source = Source("arcgis", layer.url, PATH, columns, **more)
    write_city(City("arc", "Arc", "Europe/Berlin", "EPSG:32632", sources=(source,)))
    return "arc"


def first_time(city: str) -> str:
    events = snapshot(load_city(city)).scan().collect()
    return str(events.sort("time")["time"][0])


@pytest.mark.parametrize("code", [500, 504, 429])
def test_an_error_in_a_good_answer_is_asked_again(data: Path, code: int) -> None:
    failures = iter([True, False, True, True] + [False] * 99)

    def trouble(query: dict[str, str]) -> dict[str, Any] | None:
        return {"code": code, "message": "Error performing query"} if next(failures) else None

    with Layer(features(120), trouble=trouble) as layer:
        assert crawl_city(arc(layer))["read"] == 120


def test_of_a_layer_that_fails_at_large_pages_smaller_ones_are_asked(data: Path) -> None:
    def trouble(query: dict[str, str]) -> dict[str, Any] | None:
        large = int(query.get("resultRecordCount", 0)) > 12
        return {"code": 500, "message": "Error performing query operation"} if large else None

    with Layer(features(120), cap=1000, trouble=trouble) as layer:
        assert crawl_city(arc(layer))["read"] == 120


def test_of_a_portal_that_fails_at_large_pages_smaller_ones_are_asked(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Portal.answer

    def failing(self: Portal, handler: Any, query: dict[str, str], as_csv: bool = False) -> None:
        if int(query.get("$limit", 0)) > 60:
            return self.send(handler, 504, b"", {})
        return answer(self, handler, query, as_csv)

    monkeypatch.setattr(Portal, "answer", failing)
    with Portal(texts("2020-01-{:02d}T10:00:00")) as portal:
        assert crawl_city(texts_city(portal), page_size=5000)["read"] == 200


def test_an_answer_without_end_is_not_read(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST", 3000)
    with Portal(texts("2020-01-{:02d}T10:00:00")) as portal:
        city = texts_city(portal)
        assert crawl_city(city, page_size=10)["read"] == 200
        for row in portal.rows.values():
            row["kind"] = "x" * 4000
        with pytest.raises(UserError, match="larger than 0 MB"):
            crawl_city("texts", page_size=10)


@pytest.mark.parametrize("said", [True, False])
def test_a_server_that_cannot_page_is_asked_by_ranges_of_ids(data: Path, said: bool) -> None:
    def trouble(query: dict[str, str]) -> dict[str, Any] | None:
        if "resultRecordCount" in query or "orderByFields" in query:
            text = "Pagination is not supported."
            return {"code": 400, "message": "Failed to execute query.", "details": [text]}
        return None

    about = {"advancedQueryCapabilities": {"supportsPagination": False}} if said else {}
    with Layer(features(120), about=about, trouble=trouble) as layer:
        del layer.features[30:45]
        result = crawl_city(arc(layer))
        assert (result["read"], result["added"]) == (105, 105)
        assert not said or not any("resultRecordCount" in query for query in layer.queries)
        assert crawl_city("arc")["removed"] == 0


@pytest.mark.parametrize(
    ("about", "more", "time"),
    [
        ({}, {}, "2021-06-01 03:00:00"),
        ({"dateFieldsTimeReference": {"timeZone": "UTC"}}, {}, "2021-06-01 03:00:00"),
        (
            {"dateFieldsTimeReference": {"timeZone": "W. Europe Standard Time"}},
            {},
            "2021-06-01 03:00:00",
        ),
        ({"datesInUnknownTimezone": True}, {}, "2021-06-01 01:00:00"),
        ({}, {"zone": "Europe/Berlin"}, "2021-06-01 01:00:00"),
        ({}, {"zone": "Europe/London"}, "2021-06-01 02:00:00"),
        ({}, {"zone": "UTC"}, "2021-06-01 03:00:00"),
    ],
)
def test_what_clock_a_layers_dates_show(data: Path, about: dict, more: dict, time: str) -> None:
    with Layer(
        features(48), about=about
    ) as layer:  # its first has no place, its second is at 01:00
        assert crawl_city(arc(layer, **more))["read"] == 48
        assert first_time("arc") == time


def test_a_period_of_a_layer_is_that_of_the_citys_clocks(data: Path) -> None:
    with Layer(features(120)) as layer:  # from 2021-06-01 02:00 local on
        crawl_city(arc(layer), "2021-06-02", "2021-06-03")
        city = load_city("arc")
        held = snapshot(city).report()["records"]
        assert held == 24
        assert first_time("arc") == "2021-06-02 00:00:00"


def test_a_table_without_geometry_has_its_places_in_columns(data: Path) -> None:
    rows = features(60)
    for number, row in enumerate(rows):
        row["geometry"] = None
        row["attributes"] |= {"LATITUDE": 53.5 + number * 1e-4, "LONGITUDE": 9.9}
    for about in ({"type": "Table"}, {}):
        with Layer(rows, about=about) as layer:
            found = look_at(f"{layer.url}{PATH}", guarded=False)
            assert (found.guessed["longitude"], found.guessed["latitude"]) == (
                "LONGITUDE",
                "LATITUDE",
            )
            assert found.center("LONGITUDE", "LATITUDE")[0] == pytest.approx(9.9)
            columns = {**found.guessed, "time": "occurred", "type": "offense"}
            result = crawl_city(arc(layer, columns))
            assert (result["read"], result["dropped"]) == (60, {})


def texts(form: str, days: Callable[[int], int] = lambda i: 1 + i % 28, count: int = 200) -> list:
    """Rows whose only place is a point and whose dates are texts."""
    return [
        {
            ":id": f"row-{i:04d}",
            ":updated_at": f"2020-05-{1 + i % 28:02d}T00:00:00.000Z",
            "number": str(i),
            "when": form.format(days(i), 1 + i % 6),
            "kind": "Theft",
            "spot": {"type": "Point", "coordinates": [-122.3 + i * 1e-5, 47.6]},
        }
        for i in range(count)
    ]


COLUMNS = {"source_id": "number", "time": "when", "type": "kind", "longitude": "spot", "latitude": "spot"}  # fmt: skip


def texts_city(portal: Portal, **more: Any) -> str:
    source = Source("socrata", portal.url, "abcd-1234", COLUMNS, **more)
    write_city(City("texts", "Texts", "America/Los_Angeles", "EPSG:32610", sources=(source,)))
    return "texts"


def legacy(rows: list[Row]) -> list[Row]:
    for row in rows:
        east, north = row["spot"]["coordinates"]
        row["spot"] = {"latitude": str(north), "longitude": str(east), "human_address": "{}"}
    return rows


@pytest.mark.parametrize("form", [list, legacy])
def test_a_set_whose_only_place_is_a_point(data: Path, form: Callable[[list], list]) -> None:
    with Portal(form(texts("2020-01-{:02d}T10:00:00"))) as portal:
        found = look_at(f"{portal.url}/d/abcd-1234", guarded=False)
        assert (found.guessed["longitude"], found.guessed["latitude"]) == ("spot", "spot")
        assert found.center("spot", "spot") == pytest.approx((-122.3, 47.6), abs=1e-3)
        result = crawl_city(texts_city(portal))
        assert (result["read"], result["dropped"]) == (200, {})


def test_the_order_of_texts_is_judged_from_all_rows(data: Path) -> None:
    """Only the last rows tell, pages after the first."""
    rows = texts("{:02d}/{:02d}/2020", lambda i: 1 + i % 12 if i < 180 else 13 + i % 10)
    with Portal(rows) as portal:
        assert crawl_city(texts_city(portal), page_size=20)["read"] == 200
        events = snapshot(load_city("texts")).scan().collect().sort("source_id")
        day = {row["source_id"]: row["time"] for row in events.iter_rows(named=True)}
        assert (day["1"].day, day["1"].month) == (2, 2)
        assert (day["8"].day, day["8"].month) == (9, 3)
        # What comes later is read in the same order, though it doesn't tell itself.
        portal.rows["row-z"] = {
            **rows[0], ":id": "row-z", "number": "900", "when": "03/04/2020", ":updated_at": "2020-07-01T00:00:00Z",
        }  # fmt: skip
        assert crawl_city("texts", page_size=20)["added"] == 1
        late = snapshot(load_city("texts")).scan().collect().filter(source_id="900")
        assert str(late["time"][0])[:10] == "2020-04-03"


def test_dates_that_no_row_tells_are_doubted_and_settled_without_fetching_again(data: Path) -> None:
    with Portal(texts("{:02d}/{:02d}/2020", lambda i: 1 + i % 12)) as portal:
        with pytest.raises(Doubt, match="no row tells which") as caught:
            crawl_city(texts_city(portal), page_size=50)
        assert set(caught.value.choices) == {"mdy", "dmy"}
        assert snapshot(load_city("texts")).report()["records"] == 0
        pages = sum("$order" in query for query in portal.requests)
        assert crawl_city("texts", page_size=50, date_format="dmy")["read"] == 200
        again = sum("$order" in query for query in portal.requests) - pages
        assert again < 6 <= pages
        assert first_time("texts") == "2020-01-01 00:00:00"
        months = {m for m in snapshot(load_city("texts")).months}
        assert months == {f"2020-{m:02d}" for m in range(1, 7)}


def test_a_wrong_order_and_a_wrong_clock_are_corrected_by_the_next_crawl(data: Path) -> None:
    with Portal(texts("{:02d}/{:02d}/2020 10:00", lambda i: 1 + i % 12)) as portal:
        crawl_city(texts_city(portal), date_format="mdy")
        assert len(snapshot(load_city("texts")).months) == 12
        again = crawl_city("texts", date_format="dmy")
        assert again["corrected"] == 98  # of the others day and month are one number
        assert len(snapshot(load_city("texts")).months) == 6
        assert crawl_city("texts")["corrected"] == 0  # it is remembered
        texts_city(portal, zone="UTC")
        assert crawl_city("texts")["corrected"] == 200
        assert first_time("texts") == "2020-01-01 02:00:00"


def test_the_registry_says_the_order(data: Path) -> None:
    with Portal(texts("{:02d}/{:02d}/2020", lambda i: 1 + i % 12)) as portal:
        crawl_city(texts_city(portal, date_format="dmy"))
        assert len(snapshot(load_city("texts")).months) == 6


def test_a_period_of_dates_that_are_texts(data: Path) -> None:
    with Portal(texts("{:02d}/{:02d}/2020")) as portal:
        crawl_city(texts_city(portal), "2020-02-01", "2020-03-01")
        assert set(snapshot(load_city("texts")).months) == {"2020-02"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/Public-Safety/Crime-Data-from-2020-to-Present/2nrs-mtv8", "2nrs-mtv8"),
        ("/Public-Safety/Crime-Data-from-2020-to-Present/2nrs-mtv8/about_data", "2nrs-mtv8"),
        ("/resource/2nrs-mtv8.json", "2nrs-mtv8"),
        ("/d/tazs-3rd5", "tazs-3rd5"),
        ("/Public-Safety/Crime-Data-from-2020-to-Present", None),
    ],
)
def test_a_title_is_not_taken_for_a_data_set(path: str, found: str | None) -> None:
    assert dataset_id(path) == found


def test_a_ckan_table_becomes_a_city_that_can_be_crawled(data: Path) -> None:
    with DataStore(records(700)) as store:
        found = look_at(f"{store.url}/dataset/crime/resource/{ID}", guarded=False)
        assert (found.kind, found.dataset) == ("ckan", ID)
        assert found.guessed["time"] == "OCCURRED_ON_DATE"
        columns = {
            **found.guessed, "source_id": "INCIDENT_NUMBER", "type": "OFFENSE_DESCRIPTION",
        }  # fmt: skip
        write_city(
            City("hub", "Hub", "America/New_York", "EPSG:32619", sources=(found.source(columns),))
        )
        assert crawl_city("hub", "2024-02-01", "2024-03-01", page_size=64)["read"] == 140
        assert crawl_city("hub", page_size=64)["added"] == 560
        del store.rows[100:120]
        store.rows.append({**store.rows[0], "_id": 701, "INCIDENT_NUMBER": "I999999"})
        again = crawl_city("hub", page_size=64)
        assert (again["added"], again["removed"]) == (1, 20)
        for row in store.rows:
            row["kind"] = row.pop("OFFENSE_DESCRIPTION")
        with pytest.raises(UserError, match="no longer has the column 'OFFENSE_DESCRIPTION'"):
            crawl_city("hub")


def test_rows_that_go_while_a_ckan_table_is_read_hide_no_others(data: Path) -> None:
    with DataStore(records(500), cap=50) as store:
        columns = {
            "source_id": "INCIDENT_NUMBER", "time": "OCCURRED_ON_DATE", "type": "OFFENSE_DESCRIPTION",
            "longitude": "Long", "latitude": "Lat",
        }  # fmt: skip
        write_city(
            City("hub", "Hub", "America/New_York", "EPSG:32619", sources=(Source("ckan", store.url, ID, columns),))
        )  # fmt: skip

        def after(number: int) -> None:
            if number == 6:
                del store.rows[20:40]

        store.after = after
        crawl_city("hub", page_size=50)
        held = set(snapshot(load_city("hub")).scan().collect()["source_id"])
        assert {row["INCIDENT_NUMBER"] for row in store.rows} <= held


def test_what_looks_wrong_is_told_after_a_crawl(data: Path) -> None:
    rows = texts("2020-{1:02d}-{0:02d}T00:00:00", count=900)
    for i, row in enumerate(rows):
        row["when"] = row["when"].replace("T00:", f"T{i % 24 if i % 3 else 0:02d}:")
    with Portal(rows) as portal:
        result = crawl_city(texts_city(portal))
        assert "many_at_midnight" in {notice["code"] for notice in result["notices"]}


def test_local_times_that_are_marked_as_utc(data: Path) -> None:
    rows = [{**row, "OCCURRED_ON_DATE": row["OCCURRED_ON_DATE"] + "+00"} for row in records(100)]
    columns = {
        "source_id": "INCIDENT_NUMBER", "time": "OCCURRED_ON_DATE", "type": "OFFENSE_DESCRIPTION",
        "longitude": "Long", "latitude": "Lat",
    }  # fmt: skip
    for zone, time in ((None, "2023-12-31 22:15:00"), ("America/New_York", "2024-01-01 03:15:00")):
        with DataStore(rows) as store:
            source = Source("ckan", store.url, ID, columns, zone=zone)
            write_city(City("hub", "Hub", "America/New_York", "EPSG:32619", sources=(source,)))
            assert crawl_city("hub")["read"] == 100
            assert first_time("hub") == time


@pytest.mark.parametrize(
    "name", ["new_york", "philadelphia", "seattle", "boston", "washington", "denver"]
)
def test_shipped_cities_lie_where_their_clocks_say(data: Path, name: str) -> None:
    city = load_city(name)
    x0, y0, x1, y1 = city.extent() or (0, 0, 0, 0)
    east, north = city.to_metres.transform((x0 + x1) / 2, (y0 + y1) / 2, direction="INVERSE")
    assert agrees(np.array([east]), np.array([north]), city.time_zone)
    assert {"source_id", "time", "type", "longitude", "latitude"} <= city.sources[0].columns.keys()
    for source in city.sources:
        assert open_dataset(source, http.Client(source.portal, {}, 1), 100, city.time_zone).columns


def test_a_socrata_token_alone_goes_to_portals_of_socrata_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "abc")
    assert headers_for("https://data.seattle.gov") == {http.TOKEN: "abc"}
    assert headers_for("https://data.boston.gov") == {}
    assert headers_for("https://maps2.dcgis.dc.gov") == {}


def test_a_table_of_carto_becomes_a_city_that_can_be_crawled(data: Path) -> None:
    with Account(incidents(120)) as account:
        address = f"{account.url}/api/v2/sql?q=SELECT+*+FROM+incidents&format=csv"
        found = look_at(address, guarded=False)
        assert (found.kind, found.dataset) == ("carto", "incidents")
        assert (found.guessed["longitude"], found.guessed["latitude"]) == ("point_x", "point_y")
        columns = {
            "source_id": "dc_key", "time": "dispatch_date_time", "type": "text_general_code",
            "longitude": "point_x", "latitude": "point_y",
        }  # fmt: skip
        write_city(
            City("sql", "Sql", "America/New_York", "EPSG:32618", sources=(found.source(columns),))
        )
        assert crawl_city("sql", "2021-06-02", "2021-06-03", page_size=20)["read"] == 24
        assert first_time("sql") == "2021-06-02 00:00:00"
        assert crawl_city("sql", page_size=20)["added"] == 96
        assert first_time("sql") == "2021-05-31 20:00:00"
        assert not any("suspect" in query for query in account.queries)
        del account.rows[10:15]
        assert crawl_city("sql", page_size=20)["removed"] == 5
        for row in account.rows:
            row["kind"] = row.pop("text_general_code")
        with pytest.raises(UserError, match="no longer has the column 'text_general_code'"):
            crawl_city("sql")


def test_a_layer_whose_dates_are_texts(data: Path) -> None:
    rows = features(60)
    for number, row in enumerate(rows):
        row["attributes"]["occurred"] = f"{1 + number % 28:02d}/{1 + number % 2:02d}/2021 10:00"
    kinds = {"occurred": "esriFieldTypeString"}
    fields = [{"name": name, "type": kinds.get(name)} for name in rows[0]["attributes"]]
    with Layer(rows, about={"fields": fields}) as layer:
        crawl_city(arc(layer), "2021-02-01", "2021-03-01")
        assert set(snapshot(load_city("arc")).months) == {"2021-02"}
        assert snapshot(load_city("arc")).report()["records"] == 30
        assert not any("TIMESTAMP" in query["where"] for query in layer.queries)


@pytest.mark.parametrize("kind", answers.KINDS)
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4])
def test_an_end_that_comes_too_early_takes_nothing_away(kind: str, at: int) -> None:
    """Answers without rows, from the n-th on, though the portal had rows before."""
    empty = {
        "arcgis": b'{"features": []}', "carto": b'{"rows": []}',
        "ckan": b'{"success": true, "result": {"fields": [], "records": [], "total": 0}}',
    }.get(kind, b"[]")  # fmt: skip
    case = answers.Case(kind, "again", dict.fromkeys(range(at, answers.MOST), empty))
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "data"
        shutil.copytree(answers.crawled(kind), folder)
        with answers.within(folder):
            before = answers.ids(kind)
            with answers.answering(case), contextlib.suppress(UserError):
                told = crawl_city(kind, url=answers.served(kind).url, page_size=answers.PAGE)
                codes = {notice["code"] for notice in told["notices"]}
                assert told["removed"] == 0
                assert "cut_short" in codes or at > 3 or kind == "soda3"
            assert answers.ids(kind) == before
            # The next one finds all there.
            with answers.answering(answers.Case(kind, "again", {})):
                told = crawl_city(kind, url=answers.served(kind).url, page_size=answers.PAGE)
            assert (told["removed"], answers.ids(kind)) == (0, before)


def test_halves_of_characters_are_read(data: Path) -> None:
    assert http.document(rb'{"a\ud800": "x\udfff", "b": "\ud83d\ude42"}') == {"a?": "x?", "b": "🙂"}
