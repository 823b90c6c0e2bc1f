"""One run's training loop: gather, forward, backward, step; validate, keep the best, stop early.

The order of samples and the dropout of an epoch depend on the seed and the epoch alone, and a
checkpoint is written at the end of each, so a run that was killed goes on as if it had not been.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.training import checkpoints
from crimecast.training.samples import Samples, log_rate, loss_of
from crimecast.windows import Split

WARM_UP = 0.1  # share of all updates over which the learning rate rises
REPORT_EVERY = 0.5  # seconds
Report = Callable[[dict[str, Any]], None]


class Stopped(Exception):
    """The run was asked to stop; its state up to the last full epoch is kept."""


@dataclass(frozen=True)
class Plan:
    """What to do: train on steps [first, end), validate on `held_out` (None for a refit)."""

    phase: str
    first: int
    end: int
    held_out: tuple[int, int] | None
    epochs: int
    schedule_epochs: int


def train(
    network: nn.Module,
    samples: Samples,
    design: Design,
    plan: Plan,
    seed: int,
    folder: Path,
    report: Report,
    stop_asked: Callable[[], bool],
) -> dict[str, Any]:
    """Train until the epochs are over or validation stops improving; the best weights are kept.

    Writes checkpoints/`<phase>.last.safetensors` each epoch, `<phase>.best.safetensors` when
    validation improves, and a line of metrics.jsonl each epoch. Returns best_epoch, best_loss and epochs.
    Raises Stopped when asked to, UserError if the loss is no longer a number.
    """
    settings = design.training
    optimiser = torch.optim.AdamW(
        parameter_groups(network, settings.weight_decay), lr=settings.learning_rate
    )
    steps = torch.arange(plan.first, plan.end, device=samples.device)
    batches = math.ceil(len(steps) / settings.batch)
    progress: dict[str, Any] = {"epoch": 0, "best_epoch": 0, "best_loss": math.inf, "stale": 0}
    last, best = (
        folder / "checkpoints" / f"{plan.phase}.{which}.safetensors" for which in ("last", "best")
    )
    if last.exists():
        tensors, progress = checkpoints.load(last)
        checkpoints.load_network(network, tensors)
        checkpoints.load_optimiser(optimiser, tensors)
        _cut_metrics(folder, plan.phase, progress["epoch"])
    while progress["epoch"] < plan.epochs and progress["stale"] < settings.patience:
        epoch = progress["epoch"]
        began = time.perf_counter()
        torch.manual_seed(seed * 100_003 + epoch)
        order = steps[torch.randperm(len(steps)).to(samples.device)]
        network.train()
        total, seen, reported = 0.0, 0, 0.0
        for number, chosen in enumerate(order.split(settings.batch)):
            speed = settings.learning_rate * schedule(
                epoch * batches + number, plan.schedule_epochs * batches
            )
            for group in optimiser.param_groups:
                group["lr"] = speed
            batch = samples.batch(chosen)
            optimiser.zero_grad(set_to_none=True)
            with mixed_precision(samples.device):
                rate = log_rate(network, batch)
            loss = loss_of(network, rate, batch, samples.mask)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total += float(loss.detach()) * len(chosen)
            seen += len(chosen)
            now = time.perf_counter()
            if now - reported > REPORT_EVERY:
                reported = now
                _report(
                    report, plan, progress, epoch, (number + 1, batches), now - began, total / seen
                )
                if stop_asked():
                    raise Stopped
        if not math.isfinite(total):
            raise UserError(
                "The loss is no longer a number; lower the learning rate and try again."
            )
        held_out = validation_loss(network, samples, plan.held_out) if plan.held_out else None
        progress["epoch"] = epoch + 1
        if held_out is None or held_out < progress["best_loss"]:
            progress |= {"best_epoch": epoch + 1, "best_loss": held_out or 0.0, "stale": 0}
            checkpoints.save(best, checkpoints.network_state(network), dict(progress))
        else:
            progress["stale"] += 1
        entry = {
            "phase": plan.phase,
            "epoch": epoch + 1,
            "training_loss": total / len(steps),
            "validation_loss": held_out,
            "learning_rate": speed,
            "seconds": time.perf_counter() - began,
            "samples_a_second": len(steps) / (time.perf_counter() - began),
        }
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        state = checkpoints.network_state(network) | checkpoints.optimiser_state(optimiser)
        checkpoints.save(last, state, dict(progress))
        _report(report, plan, progress, epoch, (batches, batches), entry["seconds"], total / seen)
    return progress


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters by their weight decay: layers may have one of their own, a likelihood has none."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, module in network.named_modules():
        decay = 0.0 if name == "likelihood" else getattr(module, "weight_decay", weight_decay)
        groups.setdefault(decay, []).extend(module.parameters(recurse=False))
    return [{"params": p, "weight_decay": decay} for decay, p in groups.items() if p]


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 for products where the device has it in hardware; weights and loss stay float32."""
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def schedule(update: int, updates: int) -> float:
    """Factor of the learning rate: a linear rise, then half a cosine down to one hundredth."""
    rise = max(1, int(WARM_UP * updates))
    if update < rise:
        return (update + 1) / rise
    return 0.01 + 0.99 * 0.5 * (
        1 + math.cos(math.pi * min(1.0, (update - rise) / max(1, updates - rise)))
    )


@torch.no_grad()
def validation_loss(network: nn.Module, samples: Samples, period: tuple[int, int]) -> float:
    """Mean loss over steps [first, last) and the study area."""
    network.eval()
    steps = torch.arange(*period, device=samples.device)
    total = 0.0
    for chosen in steps.split(32):
        batch = samples.batch(chosen)
        rate = log_rate(network, batch)
        total += float(loss_of(network, rate, batch, samples.mask)) * len(chosen)
    return total / len(steps)


def fit_plan(split: Split, samples: Samples, design: Design, epochs: int) -> Plan:
    """The first phase: train on the training period, hold the validation period out."""
    return Plan(
        "fit",
        _first(samples, split.train),
        split.train,
        (split.train, split.validate),
        epochs,
        epochs,
    )


def refit_plan(split: Split, samples: Samples, best_epoch: int, epochs: int) -> Plan:
    """The second phase of a refit: both periods together, for as long as validation found best."""
    return Plan("refit", _first(samples, split.validate), split.validate, None, best_epoch, epochs)


def _first(samples: Samples, end: int) -> int:
    """The first step to learn from: after the longest lag, and after a tenth of the period where
    memories are used, since before that they have little to remember."""
    return max(samples.first, int(0.1 * end)) if samples.design.memories else samples.first


def _report(
    report: Report,
    plan: Plan,
    progress: dict[str, Any],
    epoch: int,
    batches: tuple[int, int],
    seconds: float,
    loss: float,
) -> None:
    done, of = batches
    rate = done / max(seconds, 1e-9)
    report(
        {
            "phase": plan.phase,
            "epoch": epoch + 1,
            "epochs": plan.epochs,
            "step": done,
            "steps": of,
            "steps_a_second": rate,
            "seconds_left": ((plan.epochs - epoch) * of - done) / rate,
            "training_loss": loss,
            "best_epoch": progress["best_epoch"],
            "best_loss": progress["best_loss"] if math.isfinite(progress["best_loss"]) else None,
        }
    )


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
