"""The command line: JSON on standard output and nothing else, one sentence and exit code 2 for bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crimecast.cli import main
from tests.conftest import tiny_csv

TOP = Path(__file__).parent.parent


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> object:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_whole_loop(sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"chicago", "san_francisco", "los_angeles", "sample"} <= {
        c["name"] for c in run(capsys, "cities")
    }
    path = tiny_csv(tmp_path / "a.csv", count=3000)
    maps = [
        "--map",
        "time=when",
        "--map",
        "longitude=lng",
        "--map",
        "latitude=lat",
        "--map",
        "type=what",
    ]
    assert run(capsys, "import", "cli-town", path, *maps, "--tz", "Europe/Berlin")["added"] == 3000
    grid = run(capsys, "grid", "cli-town", "--cell", 500, "--step", "1d")
    assert grid["events"] + grid["dropped"] == 3000
    assert {"grid", "shape", "cells", "events", "dropped"} <= grid.keys()
    trained = run(capsys, "train", grid["grid"], "--design", "stack", "--epochs", 1, "--wait",
                  "--train-until", "2020-02-10", "--validate-until", "2020-02-20")  # fmt: skip
    assert trained["state"] == "done"
    name = trained["run"]
    assert name in {row["run"] for row in run(capsys, "runs")}
    assert run(capsys, "runs", name)["history"]
    period = ["--grid", grid["grid"], "--since", "2020-02-20", "--until", "2020-03-01"]
    made = run(capsys, "forecast", name, *period, "--out", tmp_path / "f.nc")
    assert made["shape"][0] == 10
    assert (tmp_path / "f.nc").exists()
    rows = run(capsys, "score", "mean", name, f"{name}+mean", *period)
    assert [row["name"] for row in rows] == ["mean", name, f"{name}+mean"]
    assert all(row["n_steps"] == 10 for row in rows)
    assert all(np.isfinite(row["log_likelihood_per_event"]) for row in rows)
    run(
        capsys,
        "inspect",
        name,
        "--at",
        "2020-02-21",
        "--layer",
        "stem",
        "--out",
        tmp_path / "a.npz",
    )
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["stem"].shape[0] == 32
    assert run(capsys, "runs", name, "delete")["state"] == "deleted"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["grid"],
        ["grid", "atlantis"],
        ["import", "chicago", "nowhere.csv"],
        ["import", "chicago", "README.md"],
        ["import", "chicago", "README.md", "--map", "time"],
        ["crawl", "atlantis"],
        ["crawl", "sample"],
        ["train", "nothing", "--design", "stack"],
        ["train", "GRID"],
        ["train", "GRID", "--design", "nothing"],
        ["train", "GRID", "--design", "nothing.toml"],
        ["train", "GRID", "--design", "nothing.py:Net"],
        ["train", "GRID", "--design", "stack", "--device", "tpu"],
        ["train", "GRID", "--design", "stack", "--train-until", "soon"],
        ["train", "GRID", "--design", "stack", "--train-until", "1999-01-01"],
        ["runs", "nobody"],
        ["runs", "nobody", "dance"],
        ["runs", "stack-1", "stop"],
        ["runs", "stack-1", "resume"],
        ["forecast", "nobody", "--grid", "GRID", "--since", "2024-12-01", "--until", "2024-12-02"],
        ["forecast", "mean", "--grid", "GRID", "--since", "2024-12-01", "--until", "2024-12-02", "--out", "/nowhere/a.nc"],
        ["forecast", "mean", "--grid", "GRID", "--since", "2024-12-01", "--until", "2024-12-02", "--out", "a.docx"],
        ["score", "mean", "--grid", "GRID", "--since", "2030-12-01", "--until", "2030-12-02"],
        ["score", "mean", "--grid", "../../etc", "--since", "2024-12-01", "--until", "2024-12-02"],
        ["inspect", "stack-1", "--at", "2024-12-01", "--layer", "attic", "--out", "a.npz"],
        ["inspect", "stack-1", "--at", "2024-12-01", "--out", "a.png"],
        ["inspect", "stack-1", "--at", "1999-12-01", "--out", "a.npz"],
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    sample: str, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    arguments = [sample if argument == "GRID" else argument for argument in arguments]
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    out = capsys.readouterr()
    assert status == 2
    assert out.out == ""
    assert len(out.err.strip().splitlines()) == 1
    assert "Traceback" not in out.err


@pytest.mark.parametrize("text", ["name = ", 'name = "a"\n[[layer]]\nname = "x"\nkind = "magic"\n'])
def test_a_bad_spec_is_one_sentence_and_leaves_no_run(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    before = run(capsys, "runs")
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert main(["train", sample, "--design", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert run(capsys, "runs") == before


def test_it_runs_as_a_module_without_importing_torch_or_streamlit(data: Path) -> None:
    code = "import sys, crimecast.cli as c; c.main(['cities', '--json']); assert not {'torch', 'streamlit'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=TOP,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    help_text = subprocess.run(
        [sys.executable, "-m", "crimecast", "--help"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "train" in help_text.stdout


@pytest.mark.long
def test_a_reader_that_goes_away_is_no_error(data: Path) -> None:
    """As in `crimecast runs | head -1`."""
    started = subprocess.Popen(
        [sys.executable, "-m", "crimecast", "cities", "--json"],
        cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert started.wait(60) == 0
    assert started.stderr.read() == b""


def test_nothing_in_the_package_imports_streamlit() -> None:
    for path in (TOP / "crimecast").rglob("*.py"):
        assert "streamlit" not in [
            w
            for line in path.read_text().splitlines()
            if line.lstrip().startswith(("import ", "from "))
            for w in line.replace(".", " ").split()
        ], path
