"""The table behind a chart holds the numbers that the chart was made from."""

import numpy as np
import pytest

from crimecast.plots import figures, judging
from crimecast.plots.tables import table_of


def test_series_on_one_axis_stand_side_by_side() -> None:
    times = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="datetime64[ns]")
    made = table_of(figures.counts_figure(times, np.array([3, 0, 5]), "records a day"))
    assert made["date"].tolist() == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert made["records a day"].tolist() == [3, 0, 5]
    history = [
        {"phase": "fit", "epoch": e, "training_loss": 1 / e, "validation_loss": 2 / e}
        for e in (1, 2)
    ]
    made = table_of(figures.loss_figure(history))
    assert len(made) == 2
    assert sorted(made.iloc[1, 1:3].tolist()) == [0.5, 1.0]


def test_a_forecast_has_its_band_and_its_hours() -> None:
    times = np.array(["2020-01-01T00", "2020-01-01T06"], dtype="datetime64[ns]")
    made = table_of(figures.forecast_figure(times, np.array([3, 0]), np.array([2.0, 1.0])))
    band = "95 % range of counts"
    assert list(made) == ["date", "observed", "forecast", f"{band}, to", f"{band}, from"]
    assert made["date"].tolist() == ["2020-01-01 00:00", "2020-01-01 06:00"]
    assert made["forecast"].tolist() == [2.0, 1.0]
    assert made[f"{band}, to"].tolist() == [5.0, 3.0]


def test_bars_have_their_names() -> None:
    made = table_of(figures.bars_figure(["theft", "arson"], [7, 2], "records"))
    assert made.to_numpy().tolist() == [["theft", 7], ["arson", 2]]


def test_a_histogram_keeps_every_value() -> None:
    values = np.random.default_rng(0).normal(size=500)
    made = table_of(figures.histogram_figure(values, "activation"))
    assert made["number"].sum() == 500
    assert made["from"].iloc[0] == pytest.approx(values.min())


def test_coloured_tables_and_maps() -> None:
    values = np.array([[1.0, 0.25], [0.5, 1.0]])
    made = table_of(figures.table_figure(["a", "b"], ["c", "d"], values, "CKA", False))
    assert made[["c", "d"]].to_numpy().tolist() == values.tolist()
    assert made.iloc[:, 0].tolist() == ["a", "b"]
    maps = {"later time": np.array([[1.0, np.nan]]), "left out": np.array([[np.nan, -2.0]])}
    made = table_of(judging.gain_maps_figure(maps, False))
    assert made.to_dict("records") == [
        {"row": "0", "column": "0", "value": 1.0, "map": "later time"},
        {"row": "0", "column": "1", "value": -2.0, "map": "left out"},
    ]


def test_series_on_axes_of_their_own_come_one_after_another() -> None:
    curves = {
        "a": (np.array([0.1, 0.2]), np.array([1.0, 2.0])),
        "b": (np.array([0.1, 0.3]), np.array([1.0, 3.0])),
    }
    made = table_of(judging.hits_figure(curves))
    assert {"a", "b"} <= set(made["series"])
    assert len(made[made["series"] == "b"]) == 2
