"""Switching channels off equals zeroing weights; edits of the past reach the forecast; no hook stays."""

import numpy as np
import pytest
import torch

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
