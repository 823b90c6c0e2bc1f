"""The Tomorrow page: places, reasons, what is covered, the last day, files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crimecast.calendar.steps import Step
from crimecast.cities.city import City
from crimecast.forecasting.ahead import ahead
from crimecast.grids.cube import load_cube
from crimecast.judging.astray import Astray
from crimecast.live.round import go_round
from crimecast.reporting.tomorrow import printable
from crimecast.views import tomorrow
from crimecast.views.lasting import long_ago
from crimecast.views.tomorrow import TomorrowView, exported, tomorrow_view
from crimecast.views.yesterday import Before, before


@pytest.fixture
def view(sample: str) -> TomorrowView:
    return tomorrow_view("memory_mixture", sample)


def test_seven_days_follow_the_last_one(view: TomorrowView) -> None:
    assert view.label(0) == "Tue 2024-12-31"
    assert len(view.made.times) == 7
    assert view.usual[0].sum() == pytest.approx(view.cube.counts[-365:].sum() / 365, rel=1e-6)


def test_what_can_be_covered_holds_the_most_that_so_many_cells_can(view: TomorrowView) -> None:
    rate = view.made.rate[0, 0]
    cells = int(view.made.area.sum())
    held = 0.0
    for share in (1, 5, 30, 100):
        chosen = view.covered(0, 0, share)
        assert chosen.sum() == max(1, round(cells * share / 100))
        best = np.sort(rate[view.made.area])[::-1][: chosen.sum()].sum()
        assert rate[chosen].sum() == pytest.approx(best, rel=1e-6)
        assert not chosen[~view.made.area].any()
        assert rate[chosen].sum() > held
        held = float(rate[chosen].sum())


def test_places_are_those_where_most_is_expected_by_name(view: TomorrowView) -> None:
    rows = view.places(0, 0)
    assert len(rows) == 10
    assert rows["expected"].is_monotonic_decreasing
    assert rows["expected"][0] == pytest.approx(view.made.rate[0, 0].max())
    assert rows["place"][0].split(",")[0] in {"Northwest", "Northeast", "Southwest", "Southeast"}
    assert (rows["chance of any"] <= 100 * rows["expected"] + 1e-3).all()


def test_an_outbreak_of_the_last_days_is_the_reason(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = load_cube(sample)
    counts = cube.counts.copy()
    row, column = np.argwhere(cube.outline_area)[150]
    counts[-5:, 0, row, column] += 6
    wild = replace(cube, counts=counts)
    monkeypatch.setattr(tomorrow, "load_cube", lambda grid: wild)
    monkeypatch.setattr(
        tomorrow, "kept", lambda name, cube, origin, steps: ahead(name, cube, origin, steps)
    )
    view = tomorrow_view("memory_mixture", sample)
    why = view.why(0, 0, int(row), int(column))
    near = counts[-7:, 0, row - 1 : row + 2, column - 1 : column + 2].sum()
    assert f"{near:.0f} events here and in the cells around since 2024-12-24" in why
    assert "more than its usual share" in why
    assert " add " in why
    far = next((int(r), int(c)) for r, c in np.argwhere(cube.outline_area) if abs(r - row) > 6)
    assert " add " not in view.why(0, 0, *far)


def test_the_message_holds_every_step(view: TomorrowView) -> None:
    content = view.message(2, 0, 5)
    head = json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])
    assert (head["step"], head["steps"], len(head["labels"])) == (2, list(range(7)), 7)
    assert [panel["title"] for panel in head["panels"]] == [
        "Expected", "Against usual", "What you can cover",
    ]  # fmt: skip


def test_the_last_day_is_what_came(sample: str) -> None:
    known = before("decayed_mean", sample)
    assert isinstance(known, Before)
    assert (known.label, known.sealed) == ("2024-12-30", None)
    assert known.counts.sum() == load_cube(sample).counts[-1].sum()
    assert known.low <= known.expected <= known.high
    assert known.message()


def test_the_page_to_print_stands_alone_and_says_what_it_is_not_for(view: TomorrowView) -> None:
    page = printable(view, 0)
    assert "must not be used to stop" in page
    assert "http" not in page
    assert page.count("<tr>") == 2 + 7 + 10


def test_files_are_made(view: TomorrowView) -> None:
    assert len(json.loads(exported(view.made, ".geojson"))["features"]) == view.made.area.sum()


def test_of_a_sealed_day_the_sealed_forecast_is_shown(data: object) -> None:
    """Where a round has sealed it; its numbers are not made again."""
    from crimecast.crawling import crawl_city
    from crimecast.live.plan import plan_of
    from tests.live.test_round import FIRST, KNOWN, Portal, bring, make_grid, rows_of

    with Portal([row for day in range(KNOWN) for row in rows_of(day)]) as portal:
        crawl_city("chicago", url=portal.url)
        grid = make_grid("chicago", cell=2000)["grid"]
        go_round("chicago", grid, ("mean",), portal.url)
        bring(portal, KNOWN)
        go_round("chicago", url=portal.url)
    plan = plan_of("chicago")
    assert plan is not None
    known = before("mean", plan.grid)
    assert known is not None
    assert known.sealed is not None
    assert known.label == "2015-03-02"
    assert known.counts.sum() == 40
    assert FIRST.year == 2015


def test_usual_is_what_the_same_weekday_brings(view: TomorrowView) -> None:
    cube, origin = view.cube, view.made.origin
    last = np.arange(origin - 365, origin)
    tuesdays = last[(cube.times[last].astype("datetime64[D]").astype(int) + 3) % 7 == 1]
    mean = cube.counts[tuesdays][..., view.made.area].sum() / len(tuesdays)
    assert view.alike[0, 0] == pytest.approx(mean, rel=1e-6)
    assert view.usual_at(0)[0].sum() == pytest.approx(mean, rel=1e-6)
    off = view.made.mean[0, :, 0].mean() / mean - 1
    word = "more" if off > 0 else "less"
    assert view.beside_alike(0, 0) == f"{abs(off):.0%} {word} than on a usual Tuesday"


def test_what_a_run_gets_wrong_at_a_place_is_told_there(view: TomorrowView) -> None:
    row, column = map(int, np.argwhere(view.made.area)[40])
    wrong = Astray("cell", "", 700, 730, 40.0, 20.0, 5.0, np.array([[row, column]]))
    known = replace(view, wrong=(wrong,))
    why = known.why(0, 0, row, column)
    assert "t has been too low there: 40 came, 20 were expected (2024-12-01 to 2024-12-30)" in why
    most, least = known.most_expected(0, 0, 10), known.most_expected(0, 0, 10_000)[-1]
    quiet = replace(
        wrong, cells=np.array([least, known.most_expected(0, 0, 10_000)[-2]]), observed=5.0
    )
    (line,) = replace(view, wrong=(quiet, replace(wrong, cells=np.array(most[3:5])))).elsewhere(
        0, 0
    )
    assert "it has been too high in the 2 cells round there: 5 came, 20 were expected" in line


def test_old_records_are_said(view: TomorrowView, data: Path) -> None:
    begin = view.made.times[0].astype("datetime64[s]").astype(int)
    town = City("town", "Town", "Europe/Berlin", "EPSG:32632")
    assert long_ago(town, view.made, begin + 3 * 86_400) == ""
    assert "40 days ago" in long_ago(town, view.made, begin + 40 * 86_400)
    assert "5 months ago" in long_ago(town, view.made, begin + 152 * 86_400)
    assert long_ago(view.city, view.made, begin + 152 * 86_400) == ""


def test_hours_are_told_from_the_day_they_are_of(view: TomorrowView) -> None:
    day = view.made
    assert view.whole_day(0, 0) is None
    six = replace(view.cube, step=Step.parse("6h"))
    times = day.times[:1] + np.arange(7).astype("timedelta64[h]") * 6
    mean = np.arange(7.0)[:, None, None] * np.ones((1, 2, len(day.kinds)))
    made = replace(view, made=replace(day, cube=six, times=times, mean=mean))
    assert made.label(0) == "Tue 2024-12-31, 00–06"
    assert made.label(3) == "Tue 2024-12-31, 18–24"
    assert made.whole_day(1, 0) == pytest.approx(0 + 1 + 2 + 3)
    assert made.whole_day(5, 0) is None  # the rest of its day is not among them
