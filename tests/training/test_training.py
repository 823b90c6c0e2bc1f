"""Training gives what it should, goes on after any interruption, and never sees the future."""

import json
from dataclasses import replace
from itertools import count, pairwise, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from crimecast.calendar.steps import Step
from crimecast.designs.build import build
from crimecast.designs.spec import OFFSETS, list_designs, load_design, parse_design, to_toml
from crimecast.errors import UserError
from crimecast.forecasting.forecasts import load_network, rates, run_rates
from crimecast.grids.cube import left_out_blocks, load_cube
from crimecast.runs import queue
from crimecast.runs.run import delete_run, list_runs, load_run, update_run
from crimecast.training import checkpoints, loop
from crimecast.training.optimising import Average, schedule
from crimecast.training.plans import Plan
from crimecast.training.samples import Samples, log_rate, loss_of
from tests.few import few
from tests.patience import until
from tests.runs.here import train

SMALL = """
name = "small"
lags = [1, 2, 7]
calendar = ["dow", "doy"]
memories = [7, 30]
offset = "decayed_mean"
[training]
epochs = 3
batch = 32
[[layer]]
name = "stem"
kind = "conv"
channels = 4
norm = "group"
[[layer]]
name = "season"
kind = "film"
[[layer]]
name = "drop"
kind = "dropout"
[[layer]]
name = "out"
kind = "head"
"""


@pytest.fixture(scope="module")
def trained(sample: str) -> str:
    """A small run."""
    run = train(parse_design(SMALL), sample, seed=4)
    assert run.state == "done", run.message
    return run.id


EVERY_INPUT = """memories = [7, 30]
blurs = [0, 1]
weekday_memories = [60]
hour_memories = [30]
season_memories = [14]
level = true
position = 2
"""
SURPRISES = """surprises = [7, 60]
surprise_blurs = [0, 2]
weekday_surprises = [60]
hour_surprises = [30]
season_surprises = [14]
first_surprises = [300]
"""


@pytest.mark.parametrize("horizon", [1, *few([3, [1, 3], [2, 3]], 0)])
@pytest.mark.parametrize("offset", OFFSETS)
def test_no_sample_knows_its_own_step_or_later(
    sample: str, offset: str, horizon: int | list[int]
) -> None:
    inputs = EVERY_INPUT + (SURPRISES if offset != "none" else "") + f"horizon = {horizon}\n"
    text = SMALL.replace("decayed_mean", offset).replace("memories = [7, 30]\n", inputs)
    text = text.replace("lags = [1, 2, 7]", "lags = [3, 4, 7]")
    cube, design = load_cube(sample), parse_design(text)
    cube = replace(cube, counts=cube.counts[:420], times=cube.times[:420])  # past a year's season
    whole = Samples(cube, design, 300)
    total = len(cube.times)
    for step, (k, ahead) in product((299, 350, 417), enumerate(design.horizons)):
        changed = step + 1 - ahead  # the first step that a forecast for `step` may not know
        counts = cube.counts.copy()
        counts[changed:] = np.random.default_rng(1).poisson(5.0, counts[changed:].shape)
        other = Samples(replace(cube, counts=counts), design, 299, scaling=whole.scaling)
        steps = torch.tensor([k * total + step])
        one, two = whole.batch(steps), other.batch(steps)
        for name in ("history", "calendar", "static", "offset"):
            assert torch.equal(getattr(one, name), getattr(two, name)), name
        assert not torch.equal(one.target, two.target)
        later = steps + 1  # and the first that it may
        assert not torch.equal(whole.batch(later).static, other.batch(later).static)


@pytest.mark.parametrize("name", few(list_designs()))
def test_no_sample_of_a_shipped_design_at_six_hours_knows_later_steps(
    sample: str, name: str
) -> None:
    day, design = load_cube(sample), load_design(name)
    times = day.times[0] + np.arange(420) * np.timedelta64(6, "h")
    cube = replace(day, counts=day.counts[:420], times=times, step=Step(6, "h"))
    whole = Samples(cube, design, 300)
    hours = whole.batch(torch.arange(300, 304)).calendar[:, -4:]
    assert torch.equal(hours, torch.eye(4)[torch.arange(300, 304) % 4])
    for step in (299, 350, 417):
        counts = cube.counts.copy()
        counts[step:] = np.random.default_rng(1).poisson(5.0, counts[step:].shape)
        other = Samples(replace(cube, counts=counts), design, 299, scaling=whole.scaling)
        steps = torch.tensor([step])
        one, two = whole.batch(steps), other.batch(steps)
        for part in ("history", "calendar", "static", "offset"):
            assert torch.equal(getattr(one, part), getattr(two, part)), part
        assert not torch.equal(whole.batch(steps + 1).history, other.batch(steps + 1).history)


def test_one_network_forecasts_several_horizons_from_the_same_frames(sample: str) -> None:
    cube = load_cube(sample)
    design = parse_design("horizon = [1, 7]\n" + SMALL)
    assert parse_design(to_toml(design)) == design
    samples = Samples(cube, design, 400)
    alone = Samples(cube, parse_design(SMALL), 400)
    now, week = (
        samples.batch(torch.tensor([450])),
        samples.batch(samples.at_every_horizon(torch.tensor([456]))[1:]),
    )
    assert torch.equal(now.history, week.history)
    assert torch.equal(now.history, alone.batch(torch.tensor([450])).history)
    assert torch.equal(now.target, samples.counts[[450]].float())
    assert torch.equal(week.target, samples.counts[[456]].float())
    assert not torch.equal(week.static, now.static)
    assert not torch.equal(week.calendar, now.calendar)
    run = train(design, sample, epochs=1)
    one, far = run_rates(run, cube, 650, 660), run_rates(run, cube, 650, 660, 7)
    assert np.array_equal(rates(f"{run.id}@7", cube, 650, 660), far)
    assert np.array_equal(rates(f"{run.id}@1", cube, 650, 660), one)
    assert not np.allclose(one, far)
    with pytest.raises(UserError, match="forecasts 1 and 7 steps ahead, not 3"):
        rates(f"{run.id}@3", cube, 650, 660)
    with pytest.raises(UserError, match="after the @ comes the number"):
        rates(f"{run.id}@x", cube, 650, 660)


def test_a_runs_forecast_knows_the_step_before_but_not_its_own(trained: str) -> None:
    run = load_run(trained)
    cube = load_cube(run.grid)
    before = run_rates(run, cube, 700, 720)
    for step in (700, 710, 719):
        counts = cube.counts.copy()
        counts[step:] += 3
        # A cube of another name, so that nothing kept of the first is used for the second.
        changed = replace(cube, counts=counts, grid=f"changed-{step}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "crimecast.forecasting.forecasts.load_cube",
                lambda name, c=changed: c if name == c.grid else cube,
            )
            after = run_rates(run, changed, 700, 720)
        assert np.array_equal(before[: step - 700 + 1], after[: step - 700 + 1])
        if step < 719:
            assert not np.array_equal(before[step - 700 + 1], after[step - 700 + 1])


def test_history_holds_the_lagged_counts(sample: str) -> None:
    cube = load_cube(sample)
    batch = Samples(cube, parse_design(SMALL), 300).batch(torch.tensor([100, 200]))
    for i, step in enumerate((100, 200)):
        for j, lag in enumerate((1, 2, 7)):
            assert np.array_equal(batch.history[i, j].numpy(), cube.counts[step - lag])


def test_the_schedule_rises_then_falls() -> None:
    values = [schedule(i, 100) for i in range(100)]
    assert values[0] == pytest.approx(0.1)
    assert max(values) == pytest.approx(1.0)
    assert values[10:] == sorted(values[10:], reverse=True)
    assert values[-1] < 0.02


def test_a_run_is_recorded(trained: str) -> None:
    run = load_run(trained)
    history = run.history()
    assert [entry["epoch"] for entry in history] == list(range(1, run.summary["epochs"] + 1))
    assert run.summary["validation_loss"] == min(entry["validation_loss"] for entry in history)
    assert run.progress()["steps_a_second"] > 0
    assert {path.suffix for path in (run.folder / "checkpoints").iterdir()} == {".safetensors"}


def test_the_stored_network_gives_the_recorded_validation_loss(trained: str) -> None:
    run = load_run(trained)
    network, note = load_network(run)
    samples = Samples(load_cube(run.grid), run.design, run.settings.train, scaling=note["scaling"])
    loss = loop.validation_loss(network, samples, (run.settings.train, run.settings.validate))
    assert loss == pytest.approx(run.summary["validation_loss"], rel=1e-5)


def train_here(
    sample: str, folder: Path, stop_at: int | None = None, step: int = 0, device: str = "cpu"
) -> dict[str, torch.Tensor]:
    """Train in this process; with `stop_at`, be asked to stop in that epoch, from a step on."""
    design, cube = parse_design(SMALL), load_cube(sample)
    samples = Samples(cube, design, 400, device)
    network = build(design, 1, *cube.counts.shape[2:], 11, seed=4).to(device)
    plan = Plan("fit", 40, 400, (400, 500), 3, 3)
    at = {"epoch": 0, "step": 0}

    def report(values: dict) -> None:
        at.update(values)

    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    trainer = loop.Trainer(network, samples, design, plan, 4, folder)
    trainer.run(report, lambda: at["epoch"] == stop_at and at["step"] >= step)
    return network.state_dict()


@pytest.mark.long
def test_a_stopped_run_ends_with_the_weights_of_an_undisturbed_one(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)  # it is asked, and stops, within the epoch
    whole = train_here(sample, tmp_path / "whole")
    for epoch in (2, 3):
        with pytest.raises(loop.RunStopped):
            train_here(sample, tmp_path / "cut", epoch)
    resumed = train_here(sample, tmp_path / "cut")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    one, two = (
        [json.loads(line) for line in (tmp_path / which / "metrics.jsonl").read_text().splitlines()]
        for which in ("whole", "cut")
    )
    assert [entry["epoch"] for entry in two] == [1, 2, 3]
    assert [e["training_loss"] for e in one] == pytest.approx([e["training_loss"] for e in two])


@pytest.mark.long
def test_an_epoch_takes_as_long_as_its_parts_together(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count()
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))  # a second a look
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)
    train_here(sample, tmp_path / "whole")
    with pytest.raises(loop.RunStopped):
        train_here(sample, tmp_path / "cut", 2, step=8)
    train_here(sample, tmp_path / "cut")
    one, two = (
        [json.loads(line) for line in (tmp_path / which / "metrics.jsonl").read_text().splitlines()]
        for which in ("whole", "cut")
    )
    assert one[1]["seconds"] > 10
    assert two[1]["seconds"] == pytest.approx(one[1]["seconds"], abs=3)
    assert two[2]["seconds"] == one[2]["seconds"]


def test_a_damaged_last_checkpoint_gives_way_to_the_one_before(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_here(sample, tmp_path / "whole")
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)
    with pytest.raises(loop.RunStopped):
        train_here(sample, tmp_path / "cut", 3)
    last = tmp_path / "cut" / "checkpoints" / "fit.last.safetensors"
    content = bytearray(last.read_bytes())
    content[-3] ^= 0xFF  # a bit of a weight, which the format itself would not notice
    last.write_bytes(bytes(content))
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.5)
    resumed = train_here(sample, tmp_path / "cut")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_averaged_weights_are_the_moving_average(sample: str) -> None:
    network = torch.nn.Linear(3, 2)
    average = Average(network, 0.9)
    expected = [p.detach().clone() for p in network.parameters()]
    for t in range(200):
        with torch.no_grad():
            for p in network.parameters():
                p.add_(torch.randn_like(p))
        average.update()
        decay = min(0.9, (1 + t) / (10 + t))
        expected = [
            decay * a + (1 - decay) * p for a, p in zip(expected, network.parameters(), strict=True)
        ]
    live = [p.detach().clone() for p in network.parameters()]
    with average.judged():
        for p, a in zip(network.parameters(), expected, strict=True):
            assert torch.allclose(p, a, atol=1e-5)
    assert all(torch.equal(p, a) for p, a in zip(network.parameters(), live, strict=True))


@pytest.mark.long
def test_an_averaged_run_resumes_too(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("[training]", "[training]\naverage = 0.95")
    monkeypatch.setitem(globals(), "SMALL", text)
    whole = train_here(sample, tmp_path / "whole")
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)
    with pytest.raises(loop.RunStopped):
        train_here(sample, tmp_path / "cut", 2)
    resumed = train_here(sample, tmp_path / "cut")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    one, two = (
        checkpoints.load(tmp_path / which / "checkpoints" / "fit.best.safetensors")[0]
        for which in ("whole", "cut")
    )
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_many_short_epochs_can_be_stopped(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch far shorter than the time between two looks at the record."""
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.3)
    design, cube = parse_design(SMALL), load_cube(sample)
    design = replace(design, training=replace(design.training, patience=10_000))
    samples = Samples(cube, design, 400)
    network = build(design, 1, *cube.counts.shape[2:], 11, seed=4)
    (tmp_path / "checkpoints").mkdir()
    plan = Plan("fit", 390, 400, (400, 402), 500, 500)
    asked = []
    with pytest.raises(loop.RunStopped):
        loop.Trainer(network, samples, design, plan, 4, tmp_path).run(
            lambda values: None, lambda: bool(asked.append(1)) or len(asked) > 3
        )


def test_the_record_of_every_layer(trained: str) -> None:
    for entry in load_run(trained).history():
        assert set(entry["layers"]) == {"stem", "season", "drop", "out"}
        stem = entry["layers"]["stem"]
        assert stem["gradient"] > 0
        assert 0 < stem["update"] < stem["weight"]
        assert 0 <= stem["zero"] <= 1
        assert entry["curve"][0][0] == 0
        assert entry["memory_mb"] > 50


def test_checkpoints_over_time_are_thinned(tmp_path: Path) -> None:
    for epoch in range(1, 101):
        checkpoints.save(tmp_path / f"fit.epoch-{epoch:05d}.safetensors", {"a": torch.ones(1)}, {})
        checkpoints.thin(tmp_path, "fit")
    kept = sorted(checkpoints.epoch_of(path) for path in tmp_path.glob("*.safetensors"))
    assert kept[0] == 1
    assert kept[-1] == 100
    assert 5 <= len(kept) <= checkpoints.KEPT + 2


def slow_run(sample: str) -> str:
    text = SMALL.replace("epochs = 3", "epochs = 300\npatience = 300").replace(
        "channels = 4", "channels = 48"
    )
    return queue.submit(queue.Request(parse_design(text), sample)).id


@pytest.mark.long
def test_stop_and_resume_in_a_process_of_its_own(sample: str) -> None:
    name = slow_run(sample)
    until(lambda: len(load_run(name).history()) >= 2)
    queue.stop(name)
    until(lambda: load_run(name).state == "stopped")
    done = len(load_run(name).history())
    with pytest.raises(UserError, match="nothing to stop"):
        queue.stop(name)
    queue.resume(name)
    until(lambda: len(load_run(name).history()) > done)
    queue.stop(name)
    until(lambda: load_run(name).state == "stopped")
    delete_run(name)
    assert name not in {run.id for run in list_runs()}


@pytest.mark.long
def test_a_killed_run_goes_on_by_itself(sample: str) -> None:
    name = slow_run(sample)
    until(lambda: len(load_run(name).history()) >= 2)
    first = load_run(name).pid
    psutil.Process(first).kill()
    done = len(load_run(name).history())
    until(lambda: len(load_run(name).history()) > done and load_run(name).pid != first)
    with pytest.raises(UserError, match="stop it before deleting"):
        delete_run(name)
    queue.stop(name)
    until(lambda: load_run(name).state == "stopped")
    delete_run(name)


def test_a_pid_that_another_process_got_is_not_ours(sample: str, trained: str) -> None:
    process = psutil.Process()
    update_run(trained, state="running", pid=process.pid, pid_started=process.create_time())
    assert load_run(trained).state == "running"
    update_run(trained, pid_started=process.create_time() - 100)
    assert load_run(trained).state == "interrupted"
    update_run(trained, state="done")


@pytest.mark.long
def test_runs_wait_for_each_other(sample: str) -> None:
    names = [
        queue.submit(
            queue.Request(parse_design(SMALL.replace("epochs = 3", "epochs = 1")), sample, seed=s)
        ).id
        for s in range(3)
    ]
    assert [load_run(name).state for name in names].count("running") <= 1
    ended = [queue.wait(name) for name in names]
    assert [run.state for run in ended] == ["done"] * 3
    spans = sorted((run.started, run.ended) for run in ended)
    assert all(one[1] <= two[0] + 0.05 for one, two in pairwise(spans))


@pytest.mark.long
def test_refit_trains_on_both_periods_for_as_long_as_validation_found_best(sample: str) -> None:
    run = train(parse_design(SMALL), sample, refit=True)
    assert run.state == "done", run.message
    phases = [entry["phase"] for entry in run.history()]
    assert phases.count("refit") == run.summary["best_epoch"]
    assert load_network(run)[1]["area_end"] == run.settings.validate


def test_a_fork_remembers_its_parent_and_protects_it(sample: str, trained: str) -> None:
    fork = train(
        parse_design(SMALL.replace("channels = 4", "channels = 5")), sample, parent=trained
    )
    assert load_run(fork.id).parent == trained
    with pytest.raises(UserError, match="forked from"):
        delete_run(trained)
    delete_run(fork.id)


def test_several_runs_are_averaged(trained: str) -> None:
    run = load_run(trained)
    cube = load_cube(run.grid)
    both = rates(f"{trained}+mean", cube, 650, 660)
    expected = (rates(trained, cube, 650, 660) + rates("mean", cube, 650, 660)) / 2
    assert np.allclose(both, expected, rtol=1e-6)


def test_a_users_module_trains_and_forecasts(sample: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\nclass Net(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.mix = torch.nn.Conv2d(7, 1, 3, padding=1)\n"
        "    def forward(self, history, calendar, static):\n        return self.mix(history.flatten(1, 2)) - 2\n"
    )
    run = train(load_design(f"{path}:Net"), sample, epochs=2)
    assert run.state == "done", run.message
    path.unlink()  # the run keeps its own copy
    assert rates(run.id, load_cube(sample), 700, 702).shape == (
        2,
        1,
        *load_cube(sample).counts.shape[2:],
    )


@pytest.mark.long
def test_a_module_that_fails_says_why(sample: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, *a):\n        raise ValueError('no')\n"
    )
    run = train(load_design(f"{path}:Net"), sample, epochs=1)
    assert run.state == "failed"
    assert "\n" not in run.message


def test_a_loss_that_is_not_a_number_stops_the_run(sample: str) -> None:
    design = parse_design(
        SMALL.replace("batch = 32", "batch = 32\nlearning_rate = 0.9").replace('norm = "group"', "")
    )
    network = build(design, 1, *load_cube(sample).counts.shape[2:], 11)
    samples = Samples(load_cube(sample), design, 400)
    batch = samples.batch(torch.tensor([100]))
    assert torch.isfinite(log_rate(network, batch)).all()
    with torch.no_grad():
        network.blocks["out"].conv.bias.fill_(float("nan"))
    folder = Path(load_run(list_runs()[0].id).folder)
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    with pytest.raises(UserError, match="no longer a number"):
        loop.Trainer(network, samples, design, Plan("nan", 40, 80, None, 1, 1), 0, folder).run(
            lambda v: None, lambda: False
        )


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.safetensors"
    checkpoints.save(path, {"model.w": torch.ones(100)}, {"epoch": 1})
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-50], "empty": b"", "text": b"hello"}[damage])
    with pytest.raises(UserError, match="missing or damaged"):
        checkpoints.load(path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"train_until": "2020-01-01"}, "training period is empty"),
        ({"train_until": "2024-01-01", "validate_until": "2023-06-01"}, "validation period is empty"),
        ({"epochs": 0}, "--epochs"),
        ({"device": "tpu"}, "no device 'tpu'"),
        ({"parent": "nobody"}, "no run called 'nobody'"),
        ({"train_until": "2023-01-05"}, "fewer than the longest lag"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_and_not_recorded(
    sample: str, options: dict, text: str
) -> None:
    before = len(list_runs())
    with pytest.raises(UserError, match=text):
        queue.submit(queue.Request(parse_design(SMALL), sample, **options))
    assert len(list_runs()) == before


def test_counts_are_kept_small_only_where_they_stay_the_same(sample: str) -> None:
    cube, design = load_cube(sample), parse_design(SMALL)
    steps = torch.tensor([410, 700, 650])
    for highest in (255.0, 256.0, 3.5):
        counts = cube.counts.copy()
        counts[400, 0, 3, 4] = highest
        samples = Samples(replace(cube, counts=counts), design, 400)
        assert samples.counts.dtype == (torch.uint8 if highest == 255.0 else torch.float32)
        batch, kept = samples.batch(steps), next(samples.batches([steps]))
        assert batch.history.dtype == batch.static.dtype == batch.target.dtype == torch.float32
        assert batch.history.max() <= highest
        assert np.array_equal(batch.target.numpy(), counts[steps])
        network = build(design, 1, *counts.shape[2:], samples.calendar.shape[1], seed=2)
        assert torch.equal(log_rate(network, batch), log_rate(network, kept))
        rates = (log_rate(network, one) for one in (batch, kept))
        one, two = (
            loss_of(network, rate, b, samples.mask)
            for rate, b in zip(rates, (batch, kept), strict=True)
        )
        assert torch.equal(one, two)


@pytest.mark.parametrize("offset", ["none", "decayed_mean"])
def test_batches_gathered_together_are_those_gathered_alone(sample: str, offset: str) -> None:
    design = parse_design(SMALL.replace("decayed_mean", offset))
    samples = Samples(load_cube(sample), design, 400)
    assert samples.at_once > 1
    parts = torch.randperm(300)[:101].add(400).split(7)  # the last of them is smaller
    for part, batch in zip(parts, samples.batches(parts), strict=True):
        alone = samples.batch(part)
        for name in ("history", "calendar", "static", "offset", "target"):
            assert torch.equal(getattr(batch, name).float(), getattr(alone, name)), name


def test_a_network_that_saw_less_than_a_year_is_not_told_the_season(sample: str) -> None:
    cube, design = load_cube(sample), parse_design(SMALL)  # weekdays, then the season
    short, whole = (Samples(cube, design, end).calendar[:, 7:] for end in (364, 365))
    assert not short.any()
    assert whole.std(dim=0).min() > 0.5
    assert short.shape == whole.shape
    # A run from before, whose stored scaling says nothing of it, is given what it was trained with.
    old = {k: v for k, v in Samples(cube, design, 364).scaling.items() if k != "season"}
    assert torch.equal(Samples(cube, design, 364, scaling=old).calendar[:, 7:], whole)


def test_left_out_places_have_no_say_in_what_is_learnt(sample: str) -> None:
    """Whatever happens there while training, the weights are the same: only inputs know of it."""
    cube, design = load_cube(sample), parse_design(SMALL.replace("decayed_mean", "none"))
    design = replace(design, memories=())
    out = left_out_blocks(cube.area(400), 0.3)
    assert 0.25 < out.sum() / cube.area(400).sum() < 0.45
    samples = Samples(cube, design, 400, left_out=0.3)
    network = build(design, 1, *cube.counts.shape[2:], 11, seed=4)
    batch = samples.batch(torch.tensor([100, 200]))
    before = loss_of(network, log_rate(network, batch), batch, samples.mask)
    changed = batch.target.clone()
    changed[..., torch.from_numpy(out)] += 7
    after = loss_of(network, log_rate(network, batch), replace(batch, target=changed), samples.mask)
    assert torch.equal(before, after)
    assert not torch.equal(
        before, loss_of(network, log_rate(network, batch), batch, torch.from_numpy(samples.area))
    )


def test_a_run_goes_on_from_anothers_weights(sample: str, trained: str) -> None:
    design = load_run(trained).design
    slow = replace(
        design, training=replace(design.training, learning_rate=1e-9, weight_decay=0.0, epochs=1)
    )
    run = train(slow, sample, start_from=trained, left_out=0.2)
    assert run.state == "done", run.message
    one, two = (
        dict(load_network(load_run(name))[0].named_parameters()) for name in (trained, run.id)
    )
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)
    delete_run(run.id)
    with pytest.raises(UserError, match="another design"):
        queue.submit(
            queue.Request(
                parse_design(SMALL.replace("channels = 4", "channels = 8")),
                sample,
                start_from=trained,
            )
        )
    with pytest.raises(UserError, match="share of places"):
        queue.submit(queue.Request(design, sample, left_out=0.9))


def test_a_network_forecasts_another_city(trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A city of another size, where the network's rates follow what that city remembers."""
    own = load_cube(load_run(trained).grid)
    counts = own.counts[:, :, 2:-2, 1:-4] * 3
    away = replace(
        own,
        grid="away",
        city="away",
        counts=counts,
        x=own.x[1:-4],
        y=own.y[2:-2],
        outline_area=None,
    )
    monkeypatch.setattr(
        "crimecast.forecasting.forecasts.load_cube", lambda name: away if name == "away" else own
    )
    made = run_rates(load_run(trained), away, 600, 620)
    assert made.shape == counts[600:620].shape
    area = away.area(600)
    assert made[..., area].mean() == pytest.approx(counts[600:620][..., area].mean(), rel=0.25)
    two = replace(away, grid="away", counts=np.repeat(counts, 2, axis=1))
    with pytest.raises(UserError, match="forecasts 1 types"):
        run_rates(load_run(trained), two, 600, 620)


def test_layers_bound_to_their_cells_do_not_travel(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace('name = "drop"\nkind = "dropout"', 'name = "own"\nkind = "cell_bias"')
    run = train(parse_design(text), sample, epochs=1)
    own = load_cube(sample)
    away = replace(
        own, grid="away", city="away", counts=own.counts[:, :, :-3], y=own.y[:-3], outline_area=None
    )
    monkeypatch.setattr(
        "crimecast.forecasting.forecasts.load_cube", lambda name: away if name == "away" else own
    )
    with pytest.raises(UserError, match="another network"):
        run_rates(load_run(run.id), away, 600, 620)
