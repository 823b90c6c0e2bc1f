"""What a GPU makes is what the processor makes; skipped where there is none."""

import copy
from pathlib import Path

import pytest
import torch

from crimecast.designs.build import build
from crimecast.designs.spec import list_designs, load_design, parse_design
from crimecast.forecasting.forecasts import run_rates
from crimecast.grids.cube import load_cube
from crimecast.training import compiling, loop, record, streaming
from crimecast.training.samples import Samples
from tests.runs.here import train
from tests.training.test_compiling import gradients, wake
from tests.training.test_training import SMALL, train_here

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products in float32, and each time in the same order, so that both sides can be compared."""
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    for module in (compiling, record):
        monkeypatch.setattr(
            module, "mixed_precision", lambda device, *_: torch.autocast(device.type, enabled=False)
        )


def both(grid: str, name: str) -> tuple[list[Samples], list[torch.nn.Module]]:
    """A shipped design's samples and network on the processor and on the GPU; no layer at rest."""
    cube, design = load_cube(grid), load_design(name)
    samples = [Samples(cube, design, 400, device) for device in ("cpu", "cuda")]
    network = build(design, 1, *cube.counts.shape[2:], samples[0].calendar.shape[1])
    torch.manual_seed(3)
    wake(network)
    return samples, [network.eval(), copy.deepcopy(network).cuda()]  # no dropout, which differs


@pytest.mark.parametrize("name", list_designs())
def test_samples_loss_and_gradients_are_those_of_the_processor(sample: str, name: str) -> None:
    samples, networks = both(sample, name)
    steps = torch.arange(samples[0].first, samples[0].first + 4)
    batches = [one.batch(steps) for one in samples]
    for part in ("history", "calendar", "static", "offset", "target"):
        here, there = (getattr(batch, part) for batch in batches)
        assert there.is_cuda
        assert torch.equal(here, there.cpu()), part
    (known, ours), (made, theirs) = (
        gradients(network, compiling.plain_loss(network, one), batch)
        for network, one, batch in zip(networks, samples, batches, strict=True)
    )
    torch.testing.assert_close(made.cpu(), known, rtol=1e-5, atol=1e-6)
    assert len(ours) == len(theirs) > 3
    for here, there in zip(ours, theirs, strict=True):
        scale = float(here.abs().max())
        torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3 * scale)


def test_a_stopped_run_goes_on_with_the_same_weights(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)
    whole = train_here(sample, tmp_path / "whole", device="cuda")
    for epoch in (2, 3):
        with pytest.raises(loop.RunStopped):
            train_here(sample, tmp_path / "cut", epoch, device="cuda")
    resumed = train_here(sample, tmp_path / "cut", device="cuda")
    assert all(weight.is_cuda for weight in whole.values())
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_what_does_not_fit_is_sent_batch_by_batch_and_changes_nothing(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = train_here(sample, tmp_path / "there", device="cuda")
    monkeypatch.setattr(streaming, "SHARE", 0.0)
    samples = Samples(load_cube(sample), parse_design(SMALL), 400, "cuda")
    assert samples.home.type == "cpu"
    assert samples.streamed
    assert next(samples.batches([torch.arange(50, 54)])).static.is_cuda
    sent = train_here(sample, tmp_path / "sent", device="cuda")
    assert all(torch.equal(there[name], sent[name]) for name in there)


def test_a_run_trained_there_forecasts_here(sample: str) -> None:
    cube = load_cube(sample)
    run = train(parse_design(SMALL), sample, device="cuda", seed=6)
    assert run.state == "done", run.message
    assert run.summary["device"] == "cuda"
    assert run.summary["device_name"] == torch.cuda.get_device_name()
    here = train(parse_design(SMALL), sample, device="cpu", seed=6)
    mine, theirs = (run_rates(one, cube, 650, 660) for one in (here, run))
    # The same seed draws other dropout there, so alike, not equal.
    assert abs(mine - theirs).max() < 0.2 * mine.max()
    assert here.summary["validation_loss"] == pytest.approx(
        run.summary["validation_loss"], rel=0.01
    )
