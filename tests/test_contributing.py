"""What CONTRIBUTING.md and docs/notebook.md say really runs."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from crimecast import baselines
from crimecast.cli import main
from crimecast.designs import build, kinds
from crimecast.designs.spec import parse_design
from crimecast.diagnose.case import Case
from crimecast.diagnose.patch import patched
from crimecast.forecasting.forecasts import score_sums
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import scores
from crimecast.runs.run import load_run

TOP = Path(__file__).parent.parent


def blocks(path: str, heading: str = "") -> list[tuple[str, str]]:
    """(language, text) of the code blocks of a page, or under one of its headings."""
    text = (TOP / path).read_text()
    if heading:
        text = re.split(r"\n## ", text.split(f"\n## {heading}\n")[1])[0]
    return re.findall(r"```(\w+)\n(.*?)```", text, re.S)


def ran(path: str, heading: str = "") -> dict[str, Any]:
    """What the Python blocks define, run one after the other."""
    names: dict[str, Any] = {}
    for language, text in blocks(path, heading):
        if language == "python":
            exec(compile(text, path, "exec"), names)
    return names


@pytest.mark.long
def test_one_test_can_be_run_as_it_says() -> None:
    (command,) = (
        text for language, text in blocks("CONTRIBUTING.md", "Set up") if "pytest" in text
    )
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/python"
    done = subprocess.run(
        [sys.executable, *arguments, "-p", "no:cacheprovider"], cwd=TOP, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_set_up_is_the_readmes() -> None:
    readme = (TOP / "README.md").read_text()
    for _, text in blocks("CONTRIBUTING.md", "Set up")[:1]:
        for line in text.splitlines():
            assert line.split("&& ")[-1] in readme


def test_a_finding(sample: str) -> None:
    judge = ran("CONTRIBUTING.md", "A finding")["judge"]
    case = Case(load_run("stack-1"))
    assert list(judge(case)) == []
    short = SimpleNamespace(history=case.history[:2])
    (found,) = judge(short)
    assert found.row()["evidence"] == {"epochs": 2}
    assert patched(case.design, found.patch).training.epochs == 3


def test_a_kind_of_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in (kinds.KINDS, build.MODULES):
        monkeypatch.setitem(known, "scale", None)  # taken out again when the test ends
    ran("CONTRIBUTING.md", "A kind of layer")
    (spec,) = (
        t for language, t in blocks("CONTRIBUTING.md", "A kind of layer") if language == "toml"
    )
    network = build.build(parse_design(spec, "scaled"), 1, 6, 5, 11)
    layer = network.blocks["weigh"]  # type: ignore[union-attr, index]
    assert torch.equal(layer(torch.ones(1, 4, 6, 5)), torch.full((1, 4, 6, 5), 0.5))
    learns = {p.layer.name: p.parameters for p in network.laid}  # type: ignore[union-attr]
    assert learns["weigh"] == sum(p.numel() for p in layer.parameters()) == 4


def test_a_baseline(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(baselines.BASELINES, "recent", None)
    recent = ran("CONTRIBUTING.md", "A baseline")["recent"]
    cube = load_cube(sample)
    made = recent(cube, 600, 610)
    by_hand = 0.5 * cube.counts[577:605].mean(axis=0) + 0.5 * cube.counts[:605].mean(axis=0)
    np.testing.assert_allclose(made[5], by_hand, rtol=1e-5)
    own, flat = (scores(score_sums(name, cube, 600, 700)) for name in ("recent", "mean"))
    assert own["hit_rate@5"] > 0.8 * flat["hit_rate@5"]


def test_a_city(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = dict(blocks("CONTRIBUTING.md", "A city"))
    (data / "cities").mkdir(parents=True)
    (data / "cities" / "wellington.toml").write_text(found["toml"])
    (tmp_path / "first.csv").write_text(found["csv"])
    _, _, _, *arguments = shlex.split(found["sh"].replace("first.csv", str(tmp_path / "first.csv")))
    assert main([*arguments, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["read"], made["added"]) == (3, 3)


def test_a_notebook_without_a_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / "unused"))
    made = ran("docs/notebook.md")
    text = (TOP / "docs" / "notebook.md").read_text()
    assert f'`scores["pai@5"]` is {made["scores"]["pai@5"]:.1f}' in text
    low, high = made["scores"]["intervals"]["pai@5"]
    assert low < made["scores"]["pai@5"] < high
    assert made["versus"]["verdict"] == "better"
    assert (np.diff(made["hit"]) >= 0).all()
    assert (made["hit"] <= made["best"] + 1e-12).all()
    assert np.abs(made["heights"] - 1).max() < 0.1
    assert made["maps"]["net.0"].shape == (2, 8, 12, 10)
    assert made["field"].size == (5, 5)
    assert made["seen"].nonzero()[0].min() >= 4
    assert abs(made["why"].error) < 1e-3
    assert {one.layer for one in made["worth"]} == {"net", "net.0", "net.1", "net.2"}
    assert made["when"][0].value >= made["when"][1].value
    assert made["liked"].value > np.quantile(made["liked"].real, 0.95)
    assert made["norms"].shape == (8,)
    assert made["proof"].proven, made["proof"].doubts
    assert [node.name for node in made["nodes"]] == ["net.0", "net.1", "net.2"]
    assert made["attended"] == []
    assert not (tmp_path / "unused").exists()
