"""How far a module came that can't be run: its layers up to the one that fails, and nothing if it runs."""

from pathlib import Path

import pytest
import torch
from torch import nn

from crimecast.runs.run import load_run
from crimecast.training.reached import keep, kept, reached_by
from crimecast.views.design import reached_items
from tests.runs.here import train
from tests.training.test_contract import HEIGHT, TYPES, WIDTH, batch, written


class Net(nn.Module):
    """Two branches joined; the last layer takes another number of channels than it is given."""

    def __init__(self, last: int, join: int = 1) -> None:
        super().__init__()
        self.near, self.far = nn.Conv2d(14, 4, 3, padding=1), nn.Conv2d(14, 6, 1)
        self.norm = nn.BatchNorm2d(4)
        self.last, self.join = nn.Conv2d(last, TYPES, 1), join

    def forward(self, history: torch.Tensor, _calendar: object, _static: object) -> torch.Tensor:
        x = torch.log1p(history).flatten(1, 2)
        return self.last(torch.cat([self.norm(self.near(x)), self.far(x)], self.join))


def test_layers_are_drawn_up_to_the_one_that_fails() -> None:
    steps = reached_by(Net(last=9), batch().first(1))
    assert steps is not None
    assert [(s["name"], s["kind"], s["fails"]) for s in steps] == [
        ("near", "Conv2d", False), ("norm", "BatchNorm2d", False), ("far", "Conv2d", False), ("last", "Conv2d", True),
    ]  # fmt: skip
    assert steps[0]["shape"] == [4, HEIGHT, WIDTH]
    assert [s["takes"] for s in steps] == [["inputs"], ["near"], ["inputs"], ["norm", "far"]]
    assert steps[3]["weights"] == 9 * TYPES + TYPES


def test_where_the_networks_own_code_fails_what_was_not_used_yet_leads_there() -> None:
    steps = reached_by(Net(last=10, join=2), batch().first(1))
    assert steps is not None
    assert (steps[-1]["name"], steps[-1]["fails"], steps[-1]["takes"]) == ("forward", True, ["norm", "far"])  # fmt: skip


def test_what_runs_has_no_such_picture(tmp_path: Path) -> None:
    assert reached_by(Net(last=10), batch().first(1)) is None
    keep(tmp_path, reached_by(Net(last=9), batch().first(1)))
    assert [step["name"] for step in kept(tmp_path)][-1] == "last"
    keep(tmp_path, None)
    assert kept(tmp_path) == []


@pytest.mark.long
def test_a_failed_run_shows_how_far_it_came(sample: str, tmp_path: Path) -> None:
    run = train(written(tmp_path, "return self.c(x[:, :5])"), sample, "2023-10-01", "2024-02-01", epochs=1)  # fmt: skip
    assert run.state == "failed"
    assert "can't be run in line 10" in run.message
    (item,) = reached_items(kept(load_run(run.id).folder))
    assert (item.name, item.lines[1], item.takes, item.broken) == ("c", "Conv2d · fails", ("inputs",), True)  # fmt: skip
