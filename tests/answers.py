"""Portals whose answers are anything: a crawl or a look at one ends well or in a sentence, and what is
stored stays. Each case is a kind of portal, what is asked of it, and what some of its answers are
replaced by."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import requests

from crimecast.cities import City, Source, load_city, write_city
from crimecast.cities.city import is_registered
from crimecast.crawling import crawl_city
from crimecast.crawling.discover import look_at
from crimecast.errors import UserError
from crimecast.records.snapshot import snapshot
from crimecast.sources.http import Client
from tests.hostile.values import dumped, mutated, value
from tests.portal import Portal, chicago_rows
from tests.serving import Server
from tests.sources.carto import Account, incidents
from tests.sources.layer import PATH, Layer, features
from tests.sources.resource import ID, DataStore, records

ROWS, PAGE, MOST = (
    90,
    25,
    150,
)  # rows of a portal, of a page, and questions that it takes at most to read them
JOBS = ("again", "first", "look")


@dataclass(frozen=True)
class Kind:
    """A portal that answers well, what a city's entry says of it, and the address of its data set."""

    make: Callable[[], Server]
    source: Source
    address: str
    zone: str = "America/Chicago"
    crs: str = "EPSG:26971"


def _source(kind: str, dataset: str, **columns: str) -> Source:
    return Source(kind, "http://portal.example", dataset, columns)


_CHICAGO = dict(time="date", type="primary_type", longitude="longitude", latitude="latitude", source_id="id")  # fmt: skip
KINDS: dict[str, Kind] = {
    "socrata": Kind(lambda: Portal(chicago_rows(ROWS)), _source("socrata", "abcd-1234", **_CHICAGO), "/d/abcd-1234"),
    "soda3": Kind(lambda: Portal(chicago_rows(ROWS)), _source("soda3", "abcd-1234", **_CHICAGO), "/d/abcd-1234"),
    "arcgis": Kind(
        lambda: Layer(features(ROWS)),
        _source("arcgis", PATH, source_id="OBJECTID", time="occurred", type="offense", longitude="geometry.x", latitude="geometry.y"),
        PATH, "Europe/Berlin", "EPSG:32632",
    ),
    "ckan": Kind(
        lambda: DataStore(records(ROWS)),
        _source("ckan", ID, source_id="INCIDENT_NUMBER", time="OCCURRED_ON_DATE", type="OFFENSE_DESCRIPTION", longitude="Long", latitude="Lat"),
        f"/dataset/crime/resource/{ID}", "America/New_York", "EPSG:26986",
    ),
    "carto": Kind(
        lambda: Account(incidents(ROWS)),
        _source("carto", "incidents", source_id="dc_key", time="dispatch_date_time", type="text_general_code", longitude="point_x", latitude="point_y"),
        "/api/v2/sql?q=SELECT * FROM incidents", "America/New_York", "EPSG:32618",
    ),
}  # fmt: skip


class Endless(BaseException):
    """A portal is asked again and again."""


@dataclass(frozen=True)
class Case:
    """`job` is one of JOBS: crawl a city that was crawled before, or never, or look at its address;
    `answers`, what the n-th answers are instead."""

    kind: str
    job: str
    answers: dict[int, bytes]

    def plain(self) -> bytes:
        """As a file of the corpus."""
        answers = {str(n): content.decode("latin-1") for n, content in self.answers.items()}
        return json.dumps({"kind": self.kind, "job": self.job, "answers": answers}).encode()

    @staticmethod
    def parse(content: bytes) -> "Case":
        """From a file of the corpus."""
        made = json.loads(content)
        answers = {int(n): text.encode("latin-1") for n, text in made["answers"].items()}
        return Case(made["kind"], made["job"], answers)


def altered(random: Random, content: bytes) -> bytes:
    """An answer that says something else: of any shape, with a part of any shape, or with bytes that
    are wrong."""
    how = random.random()
    if how < 0.15:
        return dumped(value(random))
    if how < 0.25:
        return random.choice([mutated(random, content), b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b"null", b"[]", b"{}", b"[[]]", b"[{}]", b"[null]", b'{"rows": [null]}', b'{"features": [{}]}', b'{"success": true, "result": {"records": [3]}}'])  # fmt: skip
    try:
        document = json.loads(content)
    except ValueError:
        return mutated(random, content)
    for _ in range(random.choice([1, 1, 2, 5])):
        document = _replaced(random, document)
    return dumped(document)


def _replaced(random: Random, document: Any) -> Any:
    """The document with one of its parts replaced, taken out or doubled."""
    holders: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        one = waiting.pop()
        entries = list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []  # fmt: skip
        holders += [(one, key) for key, _ in entries]
        waiting += [entry for _, entry in entries]
    if not holders or random.random() < 0.05:
        return value(random)
    # Names near the top matter as much as the many values of rows.
    holder, key = random.choice(holders[: random.choice([3, 12, len(holders)])])
    how = random.randrange(5)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[key] = [holder[key], holder[key]]
    elif how == 2:
        holder[key] = {"a": holder[key]}
    else:
        holder[key] = value(random)
    return document


@contextmanager
def answering(
    case: Case, draw: Callable[[int, bytes], bytes | None] = lambda number, content: None
) -> Iterator[dict[int, bytes]]:
    """Inside the block answers are replaced as the case says, others by what `draw` makes of them;
    gives those that were."""
    made: dict[int, bytes] = {}
    asked = 0
    answer = Client._answer

    def _answer(self: Client, *given: Any) -> tuple[requests.Response, bytes]:
        nonlocal asked
        number, asked = asked, asked + 1
        if asked > MOST:
            raise Endless(f"asked {asked} times")
        response, content = answer(self, *given)
        other = case.answers.get(number)
        if other is None:
            other = draw(number, content)
        if other is None:
            return response, content
        made[number] = other
        response.status_code = 200
        return response, other

    with (
        mock.patch.object(Client, "_answer", _answer),
        mock.patch.object(Client, "rest"),
    ):
        yield made


@lru_cache
def served(kind: str) -> Server:
    """The portal of a kind, while this process runs."""
    return KINDS[kind].make().__enter__()


@lru_cache
def crawled(kind: str) -> Path:
    """A data folder whose city was crawled when the portal answered well."""
    folder = Path(tempfile.mkdtemp(prefix="answers-"))
    with within(folder):
        register(kind)
        crawl_city(kind, url=served(kind).url, page_size=PAGE)
    return folder


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Inside the block it is the data folder."""
    with mock.patch.dict(os.environ, {"CRIMECAST_DATA": str(folder)}):
        yield


def register(kind: str) -> None:
    """Write the city's entry."""
    made = KINDS[kind]
    city = City(kind, kind, made.zone, made.crs, sources=(made.source,))
    write_city(replace(city, file_crs=None))


def ids(kind: str) -> set[str]:
    """The records that are stored of the city; all are read."""
    if not is_registered(kind):
        return set()
    held = snapshot(load_city(kind))
    events = held.scan().collect()
    assert events.height == sum(held.rows.values())
    held.report()
    return set(events["source_id"])


def tried(case: Case, draw: Callable[[int, bytes], bytes | None] = lambda n, c: None) -> tuple[Case, str]:  # fmt: skip
    """The case with the answers that were drawn, and what is wrong with what came of it ("": nothing)."""
    url = served(case.kind).url
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "data"
        if case.job == "again":
            shutil.copytree(crawled(case.kind), folder)
        with within(folder):
            if case.job == "first":
                register(case.kind)
            before = ids(case.kind)
            made: dict[int, bytes] = {}
            refused = False
            try:
                with answering(case, draw) as made:
                    if case.job == "look":
                        found = look_at(f"{url}{KINDS[case.kind].address}", guarded=False)
                        if {"longitude", "latitude"} <= found.guessed.keys():
                            found.center(found.guessed["longitude"], found.guessed["latitude"])
                        found.source(found.guessed)
                    else:
                        crawl_city(case.kind, url=url, page_size=PAGE)
            except UserError as error:
                refused = True
                if "\n" in str(error):
                    return replace(case, answers=made), f"several lines: {error}"
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # a panic is no Exception
                return replace(case, answers=made), f"{type(error).__name__}: {error}"[:300]
            try:
                lost = before - ids(case.kind)
                if case.job == "again" and 2 * len(lost) > len(before):
                    refused = True  # whatever it says now, so many didn't go
            except BaseException as error:
                return replace(case, answers=made), f"the store: {type(error).__name__}: {error}"[:300]  # fmt: skip
            if refused and lost:
                return replace(case, answers=made), f"{len(lost)} records are gone"
    return replace(case, answers=made), ""


def fuzz(random: Random) -> tuple[bytes, str]:
    """A case that is drawn while the portal answers, as a file of the corpus, and what was wrong."""
    case = Case(random.choice([*KINDS]), random.choice(JOBS), {})
    some = {random.choice([0, 0, 1, 1, 2, 3, 4, 5, 8]) for _ in range(random.choice([1, 1, 2, 6]))}
    always = random.random() < 0.1

    def draw(number: int, content: bytes) -> bytes | None:
        return altered(random, content) if always or number in some else None

    case, wrong = tried(case, draw)
    return case.plain(), wrong


def replayed(content: bytes) -> str:
    """What is wrong with what comes of a case of the corpus."""
    return tried(Case.parse(content))[1]
