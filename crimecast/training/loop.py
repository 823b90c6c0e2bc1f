"""One run's training loop: gather, forward, backward, step; validate, keep the best, stop early.

The order of samples and the dropout of an epoch depend on the seed and the epoch alone, and
checkpoints hold the state of the random numbers, so a run that was killed anywhere goes on as if
it had not been.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.designs.spec import Design
from crimecast.training import checkpoints
from crimecast.training.compiling import compiled_loss, pays, plain_loss
from crimecast.training.optimising import AdamW, Average, schedule
from crimecast.training.parallel import ALONE, Group
from crimecast.training.plans import Plan
from crimecast.training.record import Recorder
from crimecast.training.samples import Batch, Samples, log_rate, loss_of

REPORT_EVERY = 0.5  # seconds
SAVE_EVERY = 15.0  # seconds within an epoch: what a crash costs at most
Report = Callable[[dict[str, Any]], None]


class RunStopped(Exception):
    """The run was asked to stop; its state is kept."""


class Trainer:
    """A network, its optimiser and how far they are; `run` trains them by a plan.

    Writes checkpoints/`<phase>.last.safetensors` after each epoch and every few seconds within,
    `<phase>.best.safetensors` when validation improves, `<phase>.epoch-N.safetensors` for a few
    epochs over time, and a line of metrics.jsonl each epoch.
    """

    def __init__(
        self,
        network: nn.Module,
        samples: Samples,
        design: Design,
        plan: Plan,
        seed: int,
        folder: Path,
        group: Group = ALONE,
    ) -> None:
        self.network, self.samples, self.plan, self.seed = network, samples, plan, seed
        self.settings, self.folder, self.group = design.training, folder, group
        self.optimiser = AdamW(network, self.settings.learning_rate, self.settings.weight_decay)
        self.average = Average(network, self.settings.average)
        steps = torch.arange(plan.first, plan.end, device=samples.home)
        self.steps = samples.at_every_horizon(steps)
        self.batches = math.ceil(len(self.steps) / self.settings.batch)
        self.recorder = Recorder(network, samples, self.batches)
        self.plain = self.fast = group.joined(network, plain_loss(network, samples))
        self.reported = 0.0  # across epochs: many short ones must be stoppable too
        self.progress: dict[str, Any] = {
            "epoch": 0, "batch": 0, "total": 0.0, "seen": 0, "seconds": 0.0,  # of the epoch it is in
            "best_epoch": 0, "best_loss": math.inf, "stale": 0, "training_loss": None,
        }  # fmt: skip

    def run(self, report: Report, stop_asked: Callable[[], bool]) -> dict[str, Any]:
        """Train until the epochs are over or validation stops improving.

        Returns best_epoch, best_loss and epoch. Raises RunStopped when asked to, UserError if the
        loss is no longer a number.
        """
        random_state = self._restore()
        updates = self.plan.epochs * self.batches
        if self.group.size == 1 and pays(
            self.network, self.samples, self.settings.batch, updates, self.folder
        ):
            self.fast = compiled_loss(self.network, self.samples)
            self._report(report, self.progress["batch"], 0.0, note="compiling its step")
        while (
            self.progress["epoch"] < self.plan.epochs
            and self.progress["stale"] < self.settings.patience
        ):
            # Checkpoints of older versions don't say how long their epoch had taken.
            began = time.perf_counter() - self.progress.get("seconds", 0.0)
            self._epoch(report, stop_asked, random_state, began)
            random_state = None
            self._judge(time.perf_counter() - began)
            self._report(report, self.batches, time.perf_counter() - began)
        return self.progress

    def _epoch(
        self,
        report: Report,
        stop_asked: Callable[[], bool],
        random_state: Tensor | None,
        began: float,
    ) -> None:
        """The rest of the epoch that `progress` is in, as if it had begun at `began` and gone on
        without a break."""
        at, settings = self.progress, self.settings
        epoch, done = at["epoch"], at["batch"]
        torch.manual_seed(self.seed * 100_003 + epoch)
        order = self.steps[torch.randperm(len(self.steps)).to(self.samples.home)]
        if self.group.rank:  # what is dropped there is to be something else
            torch.manual_seed(self.seed * 100_003 + epoch + 7919 * self.group.rank)
        if random_state is not None:
            _set_random_state(random_state)
        self.network.train()
        total = torch.tensor(at["total"], dtype=torch.float64, device=self.samples.device)
        here = saved = time.perf_counter()
        wish = ""
        parts = order.split(settings.batch)[done:]
        batches = self.samples.batches(map(self.group.part, parts))
        for number, (chosen, batch) in enumerate(zip(parts, batches, strict=True), done):
            updates = self.plan.schedule_epochs * self.batches
            speed = settings.learning_rate * schedule(epoch * self.batches + number, updates)
            loss = self._step(number, batch, chosen, speed)
            total.add_(loss, alpha=len(chosen) / self.group.size)
            at["batch"], at["seen"] = number + 1, at["seen"] + len(chosen)
            now = time.perf_counter()
            if now - self.reported > REPORT_EVERY:
                self.reported, at["total"] = now, float(total)
                self._report(report, number + 1, now - here, number + 1 - done)
                wish = "stop" if stop_asked() else wish
            if now - saved > SAVE_EVERY:
                wish = wish or "save"
            if told := self.group.told(number, wish):
                total = self.group.gathered(total)
                saved, wish, at["total"], at["seconds"] = now, "", float(total), now - began
                self._save()
                if told == "stop":
                    raise RunStopped
        total = self.group.gathered(total)
        at["total"] = self.group.same(lambda: float(total))
        if not math.isfinite(at["total"]):
            raise UserError(
                "The loss is no longer a number; lower the learning rate and try again."
            )

    def _step(self, number: int, batch: Batch, chosen: Tensor, speed: float) -> Tensor:
        """One step of the optimiser on this process's part of the samples chosen; returns its share
        of the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = speed
        self.optimiser.zero_grad(set_to_none=True)
        if self.recorder.looks(number):
            self.recorder.look(batch)
        # A batch of another size than was compiled goes through the network as written.
        loss_of_batch = self.fast if len(batch.target) == self.settings.batch else self.plain
        loss = self.group.share(loss_of_batch(batch), chosen)
        loss.backward()
        before = self.recorder.before_step(number)
        norm = self.optimiser.clipped_step(self.settings.clip)
        self.average.update()
        self.recorder.after_step(before)
        self.recorder.loss(number, loss, norm, speed)
        return loss.detach()

    def _judge(self, seconds: float) -> None:
        """After an epoch: validate, keep the best, write the record and the checkpoints."""
        at, plan = self.progress, self.plan
        at["training_loss"] = at["total"] / len(self.steps)
        at |= {"epoch": at["epoch"] + 1, "batch": 0, "total": 0.0, "seen": 0, "seconds": 0.0}
        held_out = None
        with self.average.judged():
            if (period := plan.held_out) is not None:
                held_out = self.group.same(
                    lambda: validation_loss(self.network, self.samples, period)
                )
            state = checkpoints.network_state(self.network)
            if held_out is None or held_out < at["best_loss"]:
                at |= {"best_epoch": at["epoch"], "best_loss": held_out or 0.0, "stale": 0}
                self._write("best", state)
            else:
                at["stale"] += 1
            self._write(f"epoch-{at['epoch']:05d}", state)
        if not self.group.first:
            return
        checkpoints.thin(self.folder / "checkpoints", plan.phase)
        entry = {
            "phase": plan.phase, "epoch": at["epoch"], "training_loss": at["training_loss"],
            "validation_loss": held_out, "learning_rate": self.optimiser.param_groups[0]["lr"],
            "seconds": seconds, "batches": self.batches, "samples_a_second": len(self.steps) / seconds,
            "memory_mb": _memory_mb(self.samples.device), **self.recorder.entry(),
        }  # fmt: skip
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self._save()

    def _path(self, which: str) -> Path:
        return self.folder / "checkpoints" / f"{self.plan.phase}.{which}.safetensors"

    def _write(self, which: str, state: dict[str, Tensor]) -> None:
        if self.group.first:
            checkpoints.save(self._path(which), state, dict(self.progress))

    def _save(self) -> None:
        """The whole state as `last`; the one before is kept, in case the disk damages it."""
        if not self.group.first:
            return
        state = {
            **checkpoints.network_state(self.network),
            **checkpoints.optimiser_state(self.optimiser),
            **self.average.state(),
            "random": _random_state(),
        }
        checkpoints.save_in_turn(
            self._path("last"), self._path("before"), state, dict(self.progress)
        )

    def _restore(self) -> Tensor | None:
        """Go on from the last checkpoint that is whole; returns the state of the random numbers."""
        loaded = self.group.same(
            lambda: checkpoints.load_latest(self._path("last"), self._path("before"))
        )
        if loaded is None:
            if self.group.first:
                _cut_metrics(self.folder, self.plan.phase, 0)
            return None
        tensors, self.progress = loaded
        checkpoints.load_network(self.network, tensors)
        checkpoints.load_optimiser(self.optimiser, tensors)
        self.average.load(tensors)
        if self.group.first:
            _cut_metrics(self.folder, self.plan.phase, self.progress["epoch"])
        else:
            self.progress["total"] = 0.0  # the first process has the sum of all
        return tensors["random"] if self.progress["batch"] else None

    def _report(
        self, report: Report, done: int, seconds: float, own: int | None = None, note: str = ""
    ) -> None:
        at, plan = self.progress, self.plan
        epoch = at["epoch"] if done < self.batches or at["batch"] else at["epoch"] - 1
        rate = (own or done) / seconds if seconds else 0.0
        report(
            {
                "phase": plan.phase,
                "epoch": epoch + 1,
                "epochs": plan.epochs,
                "step": done,
                "steps": self.batches,
                "steps_a_second": rate,
                "seconds_left": ((plan.epochs - epoch) * self.batches - done) / rate
                if rate
                else None,
                "note": note,
                "training_loss": at["total"] / at["seen"] if at["seen"] else at["training_loss"],
                "best_epoch": at["best_epoch"],
                "best_loss": at["best_loss"] if math.isfinite(at["best_loss"]) else None,
            }
        )


@torch.no_grad()
def validation_loss(network: nn.Module, samples: Samples, period: tuple[int, int]) -> float:
    """Mean loss over steps [first, last), every horizon and the study area."""
    network.eval()
    parts = samples.at_every_horizon(torch.arange(*period, device=samples.home)).split(32)
    total = 0.0
    for chosen, batch in zip(parts, samples.batches(parts), strict=True):
        rate = log_rate(network, batch)
        total += float(loss_of(network, rate, batch, samples.mask)) * len(chosen)
    return total / sum(map(len, parts))


def _random_state() -> Tensor:
    if torch.cuda.is_available():
        return torch.cat([torch.get_rng_state(), torch.cuda.get_rng_state()])
    return torch.get_rng_state()


def _set_random_state(state: Tensor) -> None:
    size = len(torch.get_rng_state())
    torch.set_rng_state(state[:size])
    if torch.cuda.is_available() and len(state) > size:
        torch.cuda.set_rng_state(state[size:])


def _memory_mb(device: torch.device) -> float:
    """Peak memory: of the device for a GPU, of this process for the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cut_metrics(folder: Path, phase: str, epoch: int) -> None:
    """Forget the metrics of epochs after the checkpoint: they will be trained again."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = []
    for line in lines:
        if line.endswith("}"):
            entry = json.loads(line)
            if entry["phase"] != phase or entry["epoch"] <= epoch:
                kept.append(line)
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
