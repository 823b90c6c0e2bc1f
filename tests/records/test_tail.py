"""The reporting tail, from a simulated portal whose delays are known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from crimecast.calendar import clock
from crimecast.cities import load_city
from crimecast.crawling import crawl_city
from crimecast.forecasting.ahead import ahead
from crimecast.forecasting.to_come import reported
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import make_grid
from crimecast.records import arrivals
from crimecast.records.tail import AGES, tail
from tests.portal import Portal

FIRST, KNOWN, CRAWLS = datetime(2015, 3, 1), 150, 40
# Of every hundred records of a day, how many the portal has in the night after it, a day later, …
DELAYS = {"THEFT": [40, 25, 15, 10, 6, 4], "BATTERY": [75, 15, 6, 4]}


def rows(days: int, a_day: float) -> list[dict[str, Any]]:
    """Records of so many days, each with the day on which the portal shows it."""
    rng = np.random.default_rng(4)
    made = []
    for day in range(days):
        level = 1 + 0.35 * np.sin(day / 11)
        for kind, weights in DELAYS.items():
            share = np.array(weights) / 100
            for i in range(rng.poisson(a_day * level)):
                date = FIRST + timedelta(days=day)
                shown = date + timedelta(days=1 + int(rng.choice(len(share), p=share)))
                made.append(
                    {
                        ":id": f"{kind}-{day:04d}-{i:04d}",
                        ":updated_at": f"{shown:%Y-%m-%d}T03:00:01.000Z",
                        "id": f"{kind}{day:04d}{i:04d}",
                        "date": f"{date + timedelta(minutes=int(rng.integers(1440))):%Y-%m-%dT%H:%M:%S}.000",
                        "primary_type": kind,
                        "latitude": f"{41.85 + rng.normal(0, 0.04):.6f}",
                        "longitude": f"{-87.66 + rng.normal(0, 0.03):.6f}",
                        "shown": shown,
                    }
                )
    return made


@contextmanager
def at(day: datetime) -> Iterator[None]:
    """Everything inside happens at nine in the morning of that day, in Chicago."""
    with patch.object(clock, "now", lambda: day.replace(hour=14, tzinfo=UTC)):
        yield


def show(portal: Portal, made: list[dict[str, Any]], day: datetime) -> None:
    """The portal as it is on the morning of a day."""
    portal.rows = {
        row[":id"]: {k: v for k, v in row.items() if k != "shown"}
        for row in made
        if row["shown"] <= day
    }


def crawled(made: list[dict[str, Any]], crawls: int) -> None:
    """Crawl every morning, so many times, the last time on the day after the records' last."""
    with Portal([]) as portal:
        for number in range(crawls):
            day = FIRST + timedelta(days=KNOWN - crawls + 1 + number)
            show(portal, made, day)
            with at(day):
                crawl_city("chicago", url=portal.url)


@pytest.mark.long
def test_shares_by_age_are_those_of_the_portal(data: Path) -> None:
    crawled(rows(KNOWN, 40), CRAWLS)
    found = tail(load_city("chicago"))
    assert found is not None
    for kind, weights in DELAYS.items():
        share = found.by_type[kind.lower()]
        # At nine in the morning after it a day is one day old.
        expected = np.concatenate([[0], np.cumsum(weights) / 100, np.ones(AGES)])[:AGES]
        assert np.abs(share - expected).max() < 0.03
    both = sum(np.cumsum((DELAYS[k] + [0, 0])[:6]) for k in DELAYS) / 200
    assert np.abs(found.share[1:7] - both).max() < 0.03
    assert found.crawls == CRAWLS
    assert str(found.last) == f"{FIRST + timedelta(days=KNOWN):%Y-%m-%d}"


def test_without_repeated_crawls_nothing_is_said(data: Path) -> None:
    crawled(rows(KNOWN, 10), 1)
    assert arrivals.read(load_city("chicago")).height > 0
    assert tail(load_city("chicago")) is None


def test_a_record_keeps_its_first_arrival(data: Path) -> None:
    crawled(rows(KNOWN, 10), 3)
    first = arrivals.read(load_city("chicago"))
    with Portal([]) as portal:
        day = FIRST + timedelta(days=KNOWN + 5)
        changed = [
            {**row, ":updated_at": f"{day:%Y-%m-%d}T01:00:00.000Z"} for row in rows(KNOWN, 10)
        ]
        show(portal, changed, day)
        with at(day):
            crawl_city("chicago", url=portal.url)
    later = arrivals.read(load_city("chicago"))
    same = later.filter(later["source_id"].is_in(first["source_id"].implode()))
    assert same.sort("source_id").equals(first.sort("source_id"))


@pytest.mark.long
def test_corrected_a_forecast_loses_under_a_third_of_what_it_lost(data: Path) -> None:
    """Against the forecast that would have been made had every record been there."""
    made = rows(KNOWN, 60)
    lost: dict[str, list[float]] = {"corrected": [], "uncorrected": []}
    widths = []
    crawled(made, CRAWLS)
    partial = load_cube(make_grid("chicago", cell=3000, types="theft,battery")["grid"])
    with Portal([]) as portal:
        show(portal, made, FIRST + timedelta(days=KNOWN + 30))
        with at(FIRST + timedelta(days=KNOWN + 30)):
            share = None
            for name in ("memory_mixture", "kde_season", "hawkes"):
                share = reported(partial, KNOWN) if share is None else share
                assert share is not None
                one = ahead(name, partial, KNOWN, 1)
                other = ahead(name, partial, KNOWN, 1, share)
                widths.append(
                    [made_of.total(0)[2] - made_of.total(0)[1] for made_of in (one, other)]
                )
                lost["uncorrected"].append(one)
                lost["corrected"].append(other)
            crawl_city("chicago", url=portal.url)
    whole = load_cube(
        make_grid(
            "chicago", cell=3000, types="theft,battery",
            until=f"{FIRST + timedelta(days=KNOWN):%Y-%m-%d}",
        )["grid"]
    )  # fmt: skip
    assert whole.counts.sum() > partial.counts.sum()
    told = {key: 0.0 for key in lost}
    for i, name in enumerate(("memory_mixture", "kde_season", "hawkes")):
        best = ahead(name, whole, KNOWN, 1)
        for key, made_of in lost.items():
            told[key] += gap(best, made_of[i], whole)
    assert told["corrected"] < told["uncorrected"] / 3
    assert all(corrected > before for before, corrected in widths)


def gap(best: Any, other: Any, cube: Cube) -> float:
    """Log-likelihood that is expected to be lost against the best forecast."""
    area = best.area
    true, rate = best.rate[0, :2][:, area], np.maximum(other.rate[0, :2][:, area], 1e-6)
    true = np.maximum(true, 1e-6)
    return float((true * np.log(true / rate) - true + rate).sum())


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_what_is_missing_is_drawn_around_what_was_expected(sample: str, share: float) -> None:
    cube = load_cube(sample)
    known = cube.counts.copy()
    rng = np.random.default_rng(0)
    known[699] = rng.binomial(known[699].astype(int), share)
    from dataclasses import replace

    part = replace(cube, counts=known)
    made = ahead("decayed_mean", part, 700, 1, np.full((1, 1), share))
    full = ahead("decayed_mean", cube, 700, 1)
    assert made.total(0)[0] == pytest.approx(full.total(0)[0], rel=0.01)
