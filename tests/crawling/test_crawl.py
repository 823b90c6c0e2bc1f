"""Every crawl ends with the source's own rows, whatever happens on the way."""

import random
import time
from pathlib import Path

import polars as pl
import psutil
import pytest

from crimecast.cities import City, Source, load_city, write_city
from crimecast.crawling import crawl_city, crawl_folder
from crimecast.crawling.worker import crawl_progress, start_crawl, stop_crawl
from crimecast.errors import UserError
from crimecast.records.snapshot import snapshot
from crimecast.sources import http
from crimecast.sources.http import CrawlStopped
from crimecast.storage.store import read_json
from tests.few import few
from tests.patience import until
from tests.portal import Portal, Row, chicago_rows

FAULTS = ["busy", "busy_until", "error", "drop", "cut", "malformed", "running", "slow"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off by hundredths of what one would in earnest."""
    rest = http.Client.rest
    monkeypatch.setattr(http.Client, "rest", lambda self, attempt, asked: rest(self, -6, asked))


def held() -> dict[str, tuple[str, str]]:
    """What the archive has: id → (day and minute, type), dropped rows included."""
    city = load_city("chicago")
    table = pl.concat(
        [snapshot(city).scan().collect(), snapshot(city).read_dropped().drop("reason")]
    )
    minute = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M")
    return {i: (t, k) for i, t, k in table.select("source_id", minute, "type").rows()}


def expected(portal: Portal) -> dict[str, tuple[str, str]]:
    alias = {"non - criminal": "non-criminal"}
    return {
        row["id"]: (
            row["date"][:16],
            alias.get(row["primary_type"].lower(), row["primary_type"].lower()),
        )
        for row in portal.rows.values()
    }


@pytest.mark.parametrize("page_size", [37, 500, 50_000])
def test_a_crawl_brings_every_row_once(data: Path, page_size: int) -> None:
    with Portal(chicago_rows(2000)) as portal:
        result = crawl_city("chicago", url=portal.url, page_size=page_size)
        assert (result["read"], result["added"]) == (2000, 2000)
        assert held() == expected(portal)
        assert result["dropped"]["no place"] == sum(
            "latitude" not in row for row in portal.rows.values()
        )


def test_no_column_about_persons_is_asked_for_and_pages_go_by_key(data: Path) -> None:
    with Portal(chicago_rows(1000)) as portal:
        crawl_city("chicago", url=portal.url, page_size=100)
        assert not any("victim" in str(query) for query in portal.requests)
        assert not any("$offset" in query for query in portal.requests)
        assert any(":id >" in query.get("$where", "") for query in portal.requests)


def test_crawling_again_brings_what_is_new_changed_and_gone(data: Path) -> None:
    with Portal(chicago_rows(1500)) as portal:
        crawl_city("chicago", url=portal.url, page_size=200)
        keys = list(portal.rows)
        for key in keys[:5]:
            portal.rows[key] |= {
                "primary_type": "ROBBERY",
                "date": "2016-12-31T23:59:00.000",
                ":updated_at": "2019-01-01T00:00:00.000Z",
            }
        for key in keys[10:17]:
            del portal.rows[key]
        portal.rows["row-z"] = {
            **portal.rows[keys[20]],
            ":id": "row-z",
            "id": "77",
            ":updated_at": "2019-01-02T00:00:00.000Z",
        }
        result = crawl_city("chicago", url=portal.url, page_size=200)
        assert (result["added"], result["corrected"], result["removed"]) == (1, 5, 7)
        assert held() == expected(portal)
        before = len(portal.requests)
        assert crawl_city("chicago", url=portal.url, page_size=200)["read"] == 0
        assert len(portal.requests) - before < 6


def test_a_period_is_inclusive_and_exclusive(data: Path) -> None:
    with Portal(chicago_rows(1500)) as portal:
        crawl_city("chicago", "2015-01-01", "2016-01-01", url=portal.url, page_size=100)
        wanted = {k: v for k, v in expected(portal).items() if v[0].startswith("2015")}
        assert held() == wanted
        crawl_city("chicago", url=portal.url, page_size=100)
        assert held() == expected(portal)


def test_a_portal_that_ignores_conditions_is_paged_by_offset(data: Path) -> None:
    with Portal(chicago_rows(700)) as portal:
        portal.ignore_where = True
        crawl_city("chicago", url=portal.url, page_size=100)
        assert held() == expected(portal)


@pytest.mark.parametrize("seed", few(range(50)))
def test_faults_on_the_way_change_nothing(data: Path, seed: int) -> None:
    """Fifty crawls with some forty faults each: two thousand in all."""
    rng = random.Random(seed)
    rows = chicago_rows(600, seed)
    faults = {kind: 0.09 for kind in rng.sample(FAULTS, 6)}
    with Portal(rows, faults, seed) as portal:
        killer = random.Random(seed + 1)

        def change(number: int) -> None:
            """Rows are changed, added and deleted while they are crawled."""
            if number % 9 == 0:
                with portal.lock:
                    change_one(portal, rng, number)

        portal.after = change
        for _ in range(30):
            asked = {"left": killer.randint(3, 30)}

            def stop(asked: dict = asked) -> bool:
                asked["left"] -= 1
                return asked["left"] < 0 and killer.random() < 0.2

            try:
                crawl_city("chicago", url=portal.url, page_size=40, stop=stop)
                break
            except CrawlStopped:
                continue
            except UserError as error:  # half of all answers are faulty: at times it gives up
                if "crawl again later" not in str(error):
                    raise
        portal.after = lambda number: None
        portal.faults = {}
        crawl_city("chicago", url=portal.url, page_size=40)
        assert portal.injected >= 15
        assert held() == expected(portal)


def change_one(portal: Portal, rng: random.Random, number: int) -> None:
    key = rng.choice(list(portal.rows))
    row: Row = portal.rows[key]
    stamp = f"2019-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
    kind = rng.choice(["change", "move", "add", "delete"])
    if kind == "delete":
        del portal.rows[key]
    elif kind == "add":
        portal.rows[f"row-new{number}"] = {
            **row,
            ":id": f"row-new{number}",
            "id": str(90_000_000 + number),
            ":updated_at": stamp,
        }
    else:
        row["primary_type"] = "ARSON"
        row[":updated_at"] = stamp
        if kind == "move":
            row["date"] = f"2015-0{rng.randint(1, 9)}-11T10:00:00.000"


def test_a_column_that_is_gone_is_named_and_what_is_stored_stays(data: Path) -> None:
    with Portal(chicago_rows(300)) as portal:
        crawl_city("chicago", url=portal.url)
        before = held()
        for row in portal.rows.values():
            row["kind"] = row.pop("primary_type")
        with pytest.raises(UserError, match="no longer has the column 'primary_type'"):
            crawl_city("chicago", url=portal.url)
        assert held() == before


def test_one_row_an_incident_is_counted(data: Path) -> None:
    columns = {
        "source_id": "row_id", "event_id": "incident_id", "time": "when", "type": "kind",
        "longitude": "lon", "latitude": "lat",
    }  # fmt: skip
    city = City("bay", "Bay", "UTC", "EPSG:32610", bounds=(5e5, 4.1e6, 6e5, 4.2e6),
                sources=(Source("socrata", "http://unused", "abcd-1234", columns),))  # fmt: skip
    write_city(city)
    rows = [
        {":id": f"row-{i}", ":updated_at": "2020-01-01T00:00:00Z", "row_id": f"{i:03d}", "incident_id": str(i // 3),
         "when": "2019-05-01T10:00:00", "kind": "Theft", "lon": "-122.4", "lat": "37.7"}
        for i in range(90)
    ]  # fmt: skip
    with Portal(rows) as portal:
        result = crawl_city("bay", url=portal.url)
        assert (result["read"], result["dropped"]) == (90, {"duplicate": 60})
        portal.rows["row-x"] = {
            **rows[0],
            ":id": "row-x",
            "row_id": "000a",
            ":updated_at": "2020-02-01T00:00:00Z",
        }
        crawl_city("bay", url=portal.url)
        assert snapshot(load_city("bay")).scan().collect()["source_id"].sort().to_list() == [
            f"{i:03d}" for i in range(0, 90, 3)
        ]


def test_soda_3_asks_the_same_by_post(data: Path) -> None:
    source = load_city("chicago").sources[0]
    city = load_city("chicago")
    write_city(
        City("three", "Three", city.time_zone, city.crs, bounds=city.extent(),
             sources=(Source("soda3", source.portal, source.dataset, source.columns),))
    )  # fmt: skip
    with Portal(chicago_rows(500)) as portal:
        assert crawl_city("three", url=portal.url, page_size=60)["added"] == 500
        events = snapshot(load_city("three")).scan().collect()
        assert set(events["source_id"]) <= {row["id"] for row in portal.rows.values()}
        dropped = snapshot(load_city("three")).read_dropped()
        assert events.height + dropped.height == 500


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        ("127.0.0.1=abc, the-shipped-portals-own", "abc"),
        ("abc", None),  # a portal's token goes to no other address
    ],
)
def test_the_token_of_an_address_comes_from_the_environment(
    data: Path, monkeypatch: pytest.MonkeyPatch, setting: str, sent: str | None
) -> None:
    seen = []
    monkeypatch.setenv("SOCRATA_APP_TOKEN", setting)
    original = Portal.answer
    monkeypatch.setattr(
        Portal,
        "answer",
        lambda self, h, q, c=False: (
            seen.append(h.headers.get("X-App-Token")),
            original(self, h, q, c),
        )[1],
    )
    with Portal(chicago_rows(10)) as portal:
        crawl_city("chicago", url=portal.url)
    assert set(seen) == {sent}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"since": "2016-01-01", "until": "2015-01-01"}, "period is empty"),
        ({"page_size": 0}, "A page holds"),
        ({"url": "not an address"}, "is not a web address"),
        ({"url": "http://127.0.0.1:9"}, "doesn't answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_crawled_says_why(data: Path, options: dict, text: str) -> None:
    with pytest.raises(UserError, match=text):
        crawl_city("chicago", **options)


def test_a_city_without_a_portal_says_so(data: Path) -> None:
    with pytest.raises(UserError, match="import a file instead"):
        crawl_city("sample")


def test_a_crawl_in_the_background_shows_its_progress_and_stops(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRIMECAST_ALLOW_PRIVATE", "1")

    city = load_city("chicago")
    with Portal(chicago_rows(3000), {"slow": 1.0}) as portal:
        source = Source("socrata", portal.url, "abcd-1234", city.sources[0].columns)
        write_city(
            City("slow", "Slow", city.time_zone, city.crs, bounds=city.extent(), sources=(source,))
        )
        start_crawl("slow")
        until(lambda: crawl_progress("slow").get("state") != "starting")
        stop_crawl("slow")
        until(lambda: crawl_progress("slow")["state"] != "crawling")
        assert crawl_progress("slow")["state"] in ("stopped", "done")


@pytest.mark.parametrize("seed", few(range(8)))
def test_a_process_killed_at_any_moment_ends_with_the_same_table(
    data: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("CRIMECAST_ALLOW_PRIVATE", "1")
    rng = random.Random(seed)
    city = load_city("chicago")
    with Portal(chicago_rows(4000, seed), {"slow": 0.3}) as portal:
        source = Source("socrata", portal.url, "abcd-1234", city.sources[0].columns)
        write_city(
            City(
                "chicago",
                "Chicago",
                city.time_zone,
                city.crs,
                bounds=city.extent(),
                sources=(source,),
                aliases=city.aliases,
            )
        )
        kills = 0
        for _ in range(4):
            start_crawl("chicago")
            pid = read_json(crawl_folder("chicago") / "process.json")["pid"]
            time.sleep(rng.uniform(0.6, 2.0))
            try:
                process = psutil.Process(pid)
                process.kill()
                kills += 1
            except psutil.NoSuchProcess:
                break
            process.wait()  # what it held is free once it is gone, and not before
            while crawl_progress("chicago")["state"] == "crawling":
                time.sleep(0.05)
        assert kills
        portal.faults = {}
        crawl_city("chicago", url=portal.url, page_size=500)
        assert held() == expected(portal)
