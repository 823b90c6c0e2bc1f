"""Samples a second of our training loop against its limit and its peers, in one run.

    python bench/training.py [--json] [--steps N] [--grid NAME]

On cubes of 32×32 and 64×64, and on a grid of the data folder, with the shipped stack_plain and a small two-layer network. Rates,
large is fast: `step_vs_bare`, our loop over the bare step of the same network, compiled as ours is,
on a batch that is already on the device, with PyTorch's own clipping and AdamW (1 was the limit
before we had a step of our own; `step_vs_bare_same` has ours on both sides); `step_vs_dataloader`,
our loop over a plain PyTorch loop as tutorials write it, a DataLoader over the cube in float32;
`step_vs_lightning`, over PyTorch Lightning with that DataLoader. Beside them
`step_vs_dataloader_same`, with our precision, layout and optimiser, so that only loading and
compiling differ, and `step_vs_bare_plain`, without compiling on either side. `recording` and
`capture` are the shares of a plain step that recording every layer on sampled steps, and catching
every activation on every step, add. Each is the smallest over the cases; `cases` has them all.
`share_of_peak` is what our loop's products, forward and backward, take of what one large product in
the same precision reaches in the same run. The parts take turns, and ratios are medians over
rounds, or over pairs where they differ by little, so that both see the same machine; the first
round, in which networks are compiled, doesn't count. Threads wait as our workers' do.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from crimecast.machine.slots import WAITING

os.environ |= WAITING  # before torch is loaded

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from crimecast.calendar.steps import Step
from crimecast.designs.build import build, named_layers
from crimecast.designs.spec import Design, load_design, parse_design
from crimecast.grids.cube import Cube, load_cube
from crimecast.inspect.activations import capture
from crimecast.training.compiling import compiled_loss, plain_loss
from crimecast.training.loop import Trainer
from crimecast.training.optimising import AdamW, mixed_precision
from crimecast.training.plans import Plan
from crimecast.training.record import Recorder
from crimecast.training.samples import Samples

BATCH = 16
# Rounds in which all parts take turns, and pairs of two parts that differ by little, one after the other.
ROUNDS = {"cpu": {"small": 10, "stack_plain": 5}, "cuda": {"small": 4, "stack_plain": 3}}
PAIRS = {"cpu": {"small": 60, "stack_plain": 9}, "cuda": {"small": 12, "stack_plain": 6}}
SMALL = """
name = "small"
lags = [1, 2, 3, 7, 14, 21, 28]
calendar = ["dow", "doy"]
[[layer]]
name = "near"
kind = "conv"
channels = 16
[[layer]]
name = "log_rate"
kind = "head"
"""


def cube_of(side: int, steps: int = 1200) -> Cube:
    """A cube of Poisson counts."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(1, 0.4, (side, side)), (steps, 1, side, side)).astype(np.float32)
    times = np.datetime64("2015-01-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    axis = np.arange(side) * 500.0
    return Cube(
        f"bench{side}", "bench", counts, times, ("all",), axis, axis, np.ones((side, side), bool),
        Step.parse("1d"), 500.0,
    )  # fmt: skip


class Lagged(Dataset):
    """As a tutorial would write it: one sample at a time from the cube."""

    def __init__(self, cube: Cube, design: Design, calendar: np.ndarray, first: int) -> None:
        self.counts, self.lags, self.calendar, self.first = (
            cube.counts,
            design.lags,
            calendar,
            first,
        )

    def __len__(self) -> int:
        return len(self.counts) - self.first

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        t = self.first + index
        history = np.stack([self.counts[t - lag] for lag in self.lags])
        parts = (history, self.calendar[t], self.counts[t])
        return tuple(torch.from_numpy(part.copy()) for part in parts)


class Case:
    """One network on one cube, and every way to train it for a number of steps."""

    def __init__(self, name: str, design: Design, cube: Cube, device: str, steps: int) -> None:
        design = replace(design, training=replace(design.training, batch=BATCH))
        self.name, self.design, self.device, self.steps = (
            f"{name} {'×'.join(map(str, cube.counts.shape[2:]))}",
            design,
            device,
            steps,
        )
        self.cube = cube
        self.samples = Samples(self.cube, design, len(self.cube.times), device)
        self.offset = float(self.samples.offset[0, 0, 0])
        self.trainers = {compiled: self.trainer(compiled) for compiled in (True, False)}
        network = self.fresh().train()
        self.bare_losses = {
            True: (network, compiled_loss(network, self.samples)),
            False: (network, plain_loss(network, self.samples)),
        }
        self.data = Lagged(
            self.cube, design, self.samples.calendar.cpu().numpy(), self.samples.first
        )

    def fresh(self) -> nn.Module:
        _, types, height, width = self.cube.counts.shape
        network = build(self.design, types, height, width, self.samples.calendar.shape[1])
        return network.to(self.device)

    def _sync(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()

    def timed(self, work: Callable[[], Any]) -> float:
        """Samples a second of `work`, which takes `steps` steps."""
        self._sync()
        began = time.perf_counter()
        work()
        self._sync()
        return self.steps * BATCH / (time.perf_counter() - began)

    def trainer(self, compiled: bool) -> Trainer:
        """Our loop, compiled whatever a run of this length would decide, or not."""
        first = len(self.cube.times) - self.steps * BATCH
        if first < self.samples.first:
            raise SystemExit("There are too many steps for the cube.")
        plan = Plan("fit", first, len(self.cube.times), None, 1, 1)
        network = self.fresh()
        made = Trainer(network, self.samples, self.design, plan, 0, Path(tempfile.gettempdir()))
        if compiled:
            made.fast = compiled_loss(network, self.samples)
        return made

    def ours(self, compiled: bool = True) -> float:
        trainer = self.trainers[compiled]
        trainer.progress |= {"batch": 0, "total": 0.0, "seen": 0}
        return self.timed(lambda: trainer._epoch(lambda values: None, lambda: False, None, 0.0))

    def bare(
        self, compiled: bool, recorded: bool = False, captured: bool = False, own: bool = False
    ) -> float:
        """The step on one batch; with the recorder, with every activation caught each time, or with
        our `own` clipping and optimiser."""
        network, loss_of_batch = self.bare_losses[compiled]
        optimiser = AdamW(network, 1e-3, 1e-2)
        chosen = torch.arange(100, 100 + BATCH, device=self.device)
        batch = next(self.samples.batches([chosen]))
        recorder = Recorder(network, self.samples, self.steps)

        def step(number: int) -> None:
            if recorded and recorder.looks(number):
                recorder.look(batch)
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of_batch(batch)
            loss.backward()
            before = recorder.before_step(number) if recorded else None
            if own:
                norm = optimiser.clipped_step(1.0)
            else:
                norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
            if recorded:
                recorder.after_step(before)
                recorder.loss(number, loss, norm, 1e-3)

        def work() -> None:
            for number in range(self.steps):
                if captured:
                    with capture(network, list(named_layers(network))):
                        step(number)
                else:
                    step(number)

        return self.timed(work)

    def loaded(self, same: bool, workers: int) -> float:
        """A plain loop with a DataLoader; `same` in our precision, layout and with our optimiser."""
        network = self.fresh().train()
        optimiser = (
            AdamW(network, 1e-3, 1e-2) if same else torch.optim.AdamW(network.parameters(), 1e-3)
        )
        loader = DataLoader(self.data, BATCH, shuffle=True, num_workers=workers, drop_last=True)
        static = torch.zeros(BATCH, 0, *self.cube.counts.shape[2:], device=self.device)
        criterion = nn.PoissonNLLLoss(log_input=True)

        def work() -> None:
            done = 0
            while done < self.steps:
                for history, calendar, target in loader:
                    history, calendar, target = (
                        x.to(self.device) for x in (history, calendar, target)
                    )
                    optimiser.zero_grad()
                    if same:
                        with mixed_precision(self.samples.device):
                            rate = network(history, calendar, static).float() + self.offset
                    else:
                        rate = network(history, calendar, static) + self.offset
                    loss = criterion(rate, target)
                    loss.backward()
                    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                    optimiser.step()
                    loss.item()
                    done += 1
                    if done == self.steps:
                        return

        return self.timed(work)

    def lightning(self) -> float:
        """The same DataLoader under PyTorch Lightning, with nothing switched on that isn't needed."""
        import lightning

        offset, network = self.offset, self.fresh()
        shape = self.cube.counts.shape[2:]

        class Module(lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.network = network

            def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
                history, calendar, target = batch
                static = history.new_zeros(len(history), 0, *shape)
                rate = self.network(history, calendar, static) + offset
                return nn.functional.poisson_nll_loss(rate, target)

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.AdamW(self.parameters(), 1e-3)

        loader = DataLoader(self.data, BATCH, shuffle=True, drop_last=True)
        trainer = lightning.Trainer(
            accelerator="gpu" if self.device != "cpu" else "cpu", devices=1, max_steps=self.steps,
            max_epochs=-1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, gradient_clip_val=1.0,
        )  # fmt: skip
        module = Module()
        return self.timed(lambda: trainer.fit(module, loader))

    def products(self) -> float:
        """Floating-point operations of a sample's products, forward and backward."""
        network = self.fresh().train()
        batch = self.samples.batch(torch.arange(100, 100 + BATCH, device=self.device))
        with FlopCounterMode(display=False) as counter:
            plain_loss(network, self.samples)(batch).backward()
        return counter.get_total_flops() / BATCH

    def peak(self) -> float:
        """Operations a second of one large product in the precision that networks train in."""
        one = torch.randn(2048, 2048, device=self.device)
        with mixed_precision(self.samples.device):
            kind = (one @ one).dtype
            one = one.to(kind)
            rates = [self.timed(lambda: one @ one) / (self.steps * BATCH) for _ in range(5)]
        return 2 * 2048**3 * max(rates)

    def measure(self) -> dict[str, Any]:
        """Every way in turn, several rounds; the medians and their ratios."""
        parts: dict[str, Callable[[], float]] = {
            "dataloader": lambda: self.loaded(False, 0),
            "ours": self.ours,
            "bare": lambda: self.bare(True),
            "bare_same": lambda: self.bare(True, own=True),
            "ours_plain": lambda: self.ours(False),
            "bare_plain": lambda: self.bare(False),
            "recorded": lambda: self.bare(False, recorded=True),
            "captured": lambda: self.bare(False, captured=True),
            "dataloader_2_workers": lambda: self.loaded(False, 2),
            "dataloader_same": lambda: self.loaded(True, 0),
            "lightning": self.lightning,
        }
        rates: dict[str, list[float]] = {name: [] for name in parts}
        for number in range(ROUNDS[self.device][self.design.name] + 1):
            # Backwards every other round, so that none always comes after the same one.
            for name in list(parts)[:: 1 if number % 2 else -1]:
                rate = parts[name]()
                if number:  # the first round warms up
                    rates[name].append(rate)
        middle = {name: statistics.median(values) for name, values in rates.items()}
        loader = max(("dataloader", "dataloader_2_workers"), key=middle.__getitem__)

        def ratio(one: str, other: str) -> float:
            """The median over the rounds, each of which compares what ran within seconds."""
            return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))

        def close(one: str, other: str) -> float:
            """The median over pairs, for parts whose difference is smaller than the machine's moods."""
            pairs = []
            for number in range(PAIRS[self.device][self.design.name]):
                made = {name: parts[name]() for name in (one, other)[:: 1 if number % 2 else -1]}
                pairs.append(made[one] / made[other])
            return statistics.median(pairs)

        return {
            "case": self.name,
            "share_of_peak": middle["ours"] * self.products() / self.peak(),
            **{name: round(rate, 1) for name, rate in middle.items()},
            "step_vs_bare": close("ours", "bare"),
            "step_vs_bare_same": close("ours", "bare_same"),
            "step_vs_bare_plain": close("ours_plain", "bare_plain"),
            "step_vs_dataloader": ratio("ours", loader),
            "step_vs_dataloader_same": ratio("ours", "dataloader_same"),
            "step_vs_lightning": ratio("ours", "lightning"),
            "recording": close("bare_plain", "recorded") - 1,
            "capture": close("bare_plain", "captured") - 1,
        }


def main() -> None:
    """Measure all cases; the worst of each ratio is the figure."""
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--grid")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else _processor()
    designs = {"small": parse_design(SMALL), "stack_plain": load_design("stack_plain")}
    cubes = [cube_of(32), cube_of(64)] + ([load_cube(options.grid)] if options.grid else [])
    cases = []
    for which, design in designs.items():
        for cube in cubes:
            cases.append(Case(which, design, cube, device, options.steps).measure())
            print(json.dumps(cases[-1]), file=sys.stderr, flush=True)
    least = (
        "step_vs_bare", "step_vs_bare_same", "step_vs_bare_plain", "step_vs_dataloader",
        "step_vs_dataloader_same", "step_vs_lightning",
    )  # fmt: skip
    document = {
        **{key: round(min(case[key] for case in cases), 3) for key in (*least, "share_of_peak")},
        **{key: round(max(case[key] for case in cases), 3) for key in ("recording", "capture")},
        "device": f"{name}, {torch.get_num_threads()} threads" if device == "cpu" else name,
        "peak_mb": _peak_mb(device),
        "cases": cases,
    }
    if options.json:
        print(json.dumps(document, indent=1))
    else:
        for case in cases:
            print(
                ", ".join(
                    f"{k} {v:.3g}" if isinstance(v, float) else str(v) for k, v in case.items()
                )
            )


def _processor() -> str:
    return str(torch.cpu.get_capabilities().get("cpu_name", "CPU"))


def _peak_mb(device: str) -> int:
    import resource

    if device == "cuda":
        return math.ceil(torch.cuda.max_memory_allocated() / 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
