"""The published tables: the known rows come out as they are known, and ours stand beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

from crimecast import UserError
from crimecast.cli import main
from crimecast.reporting.papers import cells, heads, table

RNG = np.random.default_rng(5)
ROLLED = 1


@pytest.fixture
def tensors(tmp_path: Path) -> Path:
    """Small ones of the papers' forms."""
    days = RNG.poisson(RNG.gamma(0.5, 1.0, (4, 3, 1, 4)), (4, 3, 731, 4)).astype(np.uint8)
    parts = {"train": days[:, :, :609], "val": days[:, :, 609:639], "test": days[:, :, 639:]}
    np.savez(tmp_path / "sthsl_chicago.npz", **parts)
    some = (RNG.random((219, 77, 8)) < RNG.random((77, 8))).astype(np.uint8)
    for name, (a, b) in {"train": (8, 174), "val": (174, 189), "test": (189, 219)}.items():
        x = np.stack([np.roll(some[day - 8 : day], ROLLED, axis=-1) for day in range(a, b)])
        np.savez(tmp_path / f"crimeforecaster_chicago_{name}.npz", x=x, y=some[a:b, None])
    np.save(tmp_path / "days.npy", some)
    return tmp_path


def test_a_forecast_stands_beside_the_rules(data: Path, tensors: Path) -> None:
    paper, cube, rows = table("sthsl_chicago", tensors, ["mean"])
    assert (str(cube.times[0])[:10], len(cube.times), len(cube.types)) == ("2016-01-01", 731, 4)
    assert [row["name"] for row in rows][-1] == "mean"
    assert len(heads(rows[0])) == len(cells(rows[0])) == 6
    for row in rows:
        assert all(a <= b + 1e-9 for a, b in zip(row["best_mae"], row["mae"], strict=True)) or "rule" in row["name"]  # fmt: skip
    assert paper.notes


def test_the_days_before_are_turned_back(data: Path, tensors: Path) -> None:
    _, cube, rows = table("crimeforecaster_chicago", tensors, ["mean"])
    days = np.load(tensors / "days.npy")
    area = cube.area(len(cube.times))
    assert (np.moveaxis(cube.counts[..., area], 1, -1) == days).all()
    assert rows[0]["f1"] == rows[0]["best_f1"]
    assert all(0 < one < 1 for one in rows[1]["f1"])


def test_the_command_takes_its_words_in_any_order(
    data: Path, tensors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tensors)
    assert main(["paper", "sthsl_chicago", "--data", folder, "mean", "decayed_mean", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["rows"]][-2:] == ["mean", "decayed_mean"]
    assert main(["paper", "sthsl_chicago", "mean", "--data", folder]) == 0
    assert "1 everywhere" in capsys.readouterr().out


def test_what_isnt_there_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no paper 'other'"):
        table("other", tmp_path, [])
    with pytest.raises(UserError, match=r"has no sthsl_chicago\.npz"):
        table("sthsl_chicago", tmp_path, [])


def test_the_real_tensors_give_what_is_known_of_them(data: Path, real: Path) -> None:
    """MAE and MAPE of theft, battery, assault, damage; macro and micro F1 of a frequency."""
    _, _, rows = table("sthsl_chicago", real / "papers", ["memory_mixture"])
    by_name = {row["name"]: row for row in rows}
    mean = by_name["rule: mean of the training days"]
    assert np.round(mean["mae"], 3).tolist() == [1.341, 1.159, 0.769, 0.870]
    assert np.round(mean["mape"], 3).tolist() == [0.522, 0.577, 0.464, 0.481]
    median = by_name["rule: median of a cell's days with an event"]
    assert np.round(median["mae"], 3).tolist() == [1.231, 1.027, 0.540, 0.738]
    assert np.round(median["mape"], 3).tolist() == [0.451, 0.485, 0.293, 0.401]
    ours = by_name["memory_mixture"]
    for row in rows[:-1]:
        assert all(a < b for a, b in zip(ours["best_mae"], row["mae"], strict=True))
        assert ours["log_likelihood_per_event"] > (row["log_likelihood_per_event"] or -9.0)
    _, _, rows = table("crimeforecaster_chicago", real / "papers", ["mean"])
    frequency = rows[1]
    assert np.round(frequency["f1"], 3).tolist() == [0.645, 0.698]
    assert np.round(frequency["f1_hagen"], 3).tolist() == [0.669, 0.716]
