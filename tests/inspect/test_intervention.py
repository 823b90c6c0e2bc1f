"""Switching channels off equals zeroing weights; edits of the past reach the forecast; no hook stays."""

import numpy as np
import pytest
import torch
from torch import nn

from crimecast.errors import UserError
from crimecast.inspect.activations import activations
from crimecast.inspect.intervention import (
    ablations,
    changed,
    forecast_after_edit,
    forecast_with,
    likelihood,
    loss_over_period,
)
from crimecast.inspect.notebook import look
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run

STEP = 650


def rate(one: object) -> np.ndarray:
    with torch.no_grad():
        return torch.exp(one.log_rate(one.batch([STEP])))[0].numpy()  # type: ignore[attr-defined]


def test_a_channel_switched_off_equals_its_weights_at_zero(sample: str) -> None:
    one, other = subject(load_run("stack-1")), subject(load_run("stack-1"))
    off = forecast_with(one, STEP, "narrow_2", [3], "zero")
    conv = other.layers["narrow_2"].conv
    with torch.no_grad():
        conv.weight[3], conv.bias[3] = 0.0, 0.0
    assert np.allclose(off, rate(other), rtol=1e-5)
    assert not np.allclose(off, rate(subject(load_run("stack-1"))), rtol=1e-5)


def test_an_ablation_is_the_loss_with_the_weights_at_zero(sample: str) -> None:
    one, other = subject(load_run("stack-1")), subject(load_run("stack-1"))
    found = {a.channel: a.loss for a in ablations(one, "narrow_2", "zero", probes=6)}
    batches = [one.batch([s]) for s in one.probes(6)]
    with torch.no_grad():
        before = likelihood(other, batches)
        other.layers["narrow_2"].conv.weight[5] = 0.0
        other.layers["narrow_2"].conv.bias[5] = 0.0
        assert found[5] == pytest.approx(before - likelihood(other, batches), abs=1e-6)
    assert len(found) == 32


def test_without_the_head_nothing_is_added_to_the_offset(sample: str) -> None:
    one = subject(load_run("stack-1"))
    off = forecast_with(one, STEP, "log_rate", None, "zero")
    assert np.allclose(off, torch.exp(one.batch([STEP]).offset)[0].numpy(), rtol=1e-5)
    table = ablations(one, probes=4)
    assert {a.layer for a in table} == set(one.layers)
    assert [a.loss for a in table] == sorted((a.loss for a in table), reverse=True)


def test_swapping_everything_of_the_head_gives_the_other_steps_correction(sample: str) -> None:
    one = subject(load_run("stack-1"))
    swapped = forecast_with(one, STEP, "log_rate", None, "swap", 600)
    correction = activations(load_run("stack-1"), 600, ["log_rate"])["log_rate"]
    offset = one.batch([STEP]).offset[0].numpy()
    assert np.allclose(np.log(swapped), correction + offset, atol=1e-4)


def test_the_past_can_be_edited(sample: str) -> None:
    one = subject(load_run("stack-1"))
    recent = one.cube.counts[STEP - 14 : STEP, 0].sum(axis=0)
    cell = tuple(int(i) for i in np.unravel_index(recent.argmax(), recent.shape))
    before = rate(one)[0]
    erased = forecast_after_edit(one, STEP, cell, 0, 14, None)[0]  # type: ignore[arg-type]
    more = forecast_after_edit(one, STEP, cell, 0, 7, 3.0)[0]  # type: ignore[arg-type]
    assert erased[cell] < before[cell] < more[cell]
    untouched = forecast_after_edit(one, STEP, cell, 0, 0, None)[0]  # type: ignore[arg-type]
    assert np.allclose(untouched[one.area], before[one.area], rtol=1e-3)


def test_unknown_names_are_refused_and_hooks_removed(sample: str) -> None:
    one = subject(load_run("stack-1"))
    with pytest.raises(UserError, match="no layer 'attic'"), changed(one, "attic", None, 0.0):
        pass
    with pytest.raises(UserError, match="32 channels"):
        forecast_with(one, STEP, "stem", [99], "zero")
    with pytest.raises(UserError, match="swap needs a step"):
        forecast_with(one, STEP, "stem", [1], "swap")
    assert not any(m._forward_hooks for m in one.network.modules())


def test_the_period_with_a_channel_changed_is_that_of_its_ablation(sample: str) -> None:
    one = subject(load_run("stack-1"))
    for way in ("zero", "mean"):
        known = {a.channel: a.loss for a in ablations(one, "narrow_2", way)}
        assert loss_over_period(one, "narrow_2", [3], way) == pytest.approx(known[3], abs=1e-7)
    # A swap with the same step changes nothing; with others it does what the steps do one by one.
    assert loss_over_period(one, "narrow_2", [3], "swap", back=0) == pytest.approx(0, abs=1e-7)
    steps, area = one.probes(24), one.area
    n = np.concatenate([one.cube.counts[s][..., area] for s in steps])
    with torch.no_grad():
        plain = np.concatenate(
            [torch.exp(one.log_rate(one.batch([s])))[0].numpy()[..., area] for s in steps]
        )
    other = np.concatenate(
        [forecast_with(one, s, "narrow_2", [3], "swap", s - 7)[..., area] for s in steps]
    )
    score = [float((n * np.log(r) - r).sum() / n.sum()) for r in (plain, other)]
    assert loss_over_period(one, "narrow_2", [3], "swap") == pytest.approx(
        score[0] - score[1], abs=1e-6
    )


class Final(nn.Module):
    """A recurrent layer over each cell's past, of which the final states are read."""

    def __init__(self, kind: type[nn.RNNBase], ways: int) -> None:
        super().__init__()
        self.past = kind(1, 5, num_layers=2, batch_first=True, bidirectional=ways == 2)
        self.out = nn.Linear(5 * ways, 1)
        self.ways, self.off = ways, None  # (channel,) that is switched off by hand

    def forward(self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor) -> torch.Tensor:  # fmt: skip
        b, t, c, h, w = history.shape
        _, state = self.past(history.permute(0, 3, 4, 1, 2).reshape(-1, t, c))
        state = state[0] if isinstance(state, tuple) else state
        last = torch.cat([*state[-self.ways :]], -1)
        if self.off is not None:
            last = last.index_fill(-1, torch.tensor([self.off]), 0.0)
        return self.out(last).view(b, h, w, 1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("ways", [1, 2])
def test_a_recurrent_layers_final_state_goes_with_its_channel(
    kind: type[nn.RNNBase], ways: int
) -> None:
    torch.manual_seed(0)
    module = Final(kind, ways)
    one = look(module, np.random.default_rng(0).poisson(1.0, (7, 1, 6, 5)).astype(float))
    plain = one.forecast()
    for channel in (0, 3, 5 * ways - 1):
        off = one.without("past", [channel])
        module.off = channel
        assert np.allclose(off, one.forecast(), atol=1e-6)
        module.off = None
        assert not np.allclose(off, plain, atol=1e-4)
    assert not np.allclose(one.without("past"), plain, atol=1e-4)


class Second(nn.Module):
    """A block that gives two maps, of which the forecast reads one."""

    def __init__(self, which: int) -> None:
        super().__init__()
        self.block, self.which = Both(), which

    def forward(self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor) -> torch.Tensor:  # fmt: skip
        return self.block(history.flatten(1, 2))[self.which][:, :1]


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(7, 2, 1), nn.Conv2d(7, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.a(x), self.b(x)


@pytest.mark.parametrize("which", [0, 1])
def test_where_more_than_the_first_of_what_a_layer_gives_is_read_it_is_said(which: int) -> None:
    one = look(Second(which), np.random.default_rng(0).poisson(1.0, (7, 1, 6, 5)).astype(float))
    doubts = [check.layer for check in one.prove().doubts if check.check == "several"]
    assert doubts == ["block"] * which
