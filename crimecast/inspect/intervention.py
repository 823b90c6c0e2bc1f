"""What if: switch channels off, hold them at their mean, swap them with another step's, edit the past.

Hooks change what a layer puts out during the block and are gone after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from crimecast.errors import UserError
from crimecast.inspect.activations import capture
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.subject import Subject
from crimecast.judging.likelihood import log_likelihood_of_log
from crimecast.training.samples import Batch, Samples

WAYS = ("zero", "mean", "swap")
CHUNK = 8  # steps in one forward pass


@dataclass(frozen=True)
class Ablation:
    """What the score loses without a channel (None: the whole layer): log-likelihood an event, so
    0.001 is a thousandth of a nat; high means that it matters, below zero that it does harm."""

    layer: str
    channel: int | None
    loss: float


@contextmanager
def changed(
    subject: Specimen, layer: str, channels: list[int] | None, value: Tensor | float
) -> Iterator[None]:
    """Inside the block the channels of a layer (None: all) are `value`, a number or what broadcasts
    to (B, channels, H, W). Raises UserError for an unknown layer or channel."""
    if layer not in subject.layers:
        raise UserError(f"There is no layer '{layer}'; the layers are {', '.join(subject.layers)}.")

    def hook(_module: object, _inputs: object, output: object) -> object:
        first = output[0] if isinstance(output, tuple) else output
        if not isinstance(first, Tensor):
            return output
        new = first.clone()
        axis = first.dim() - 3 if first.dim() >= 4 else 1
        chosen = list(range(first.shape[axis])) if channels is None else channels
        if max(chosen, default=0) >= first.shape[axis]:
            raise UserError(f"Layer '{layer}' has {first.shape[axis]} channels.")
        index: list[slice | list[int]] = [slice(None)] * first.dim()
        index[axis] = chosen
        new[tuple(index)] = torch.as_tensor(value, dtype=first.dtype)
        return (new, *output[1:]) if isinstance(output, tuple) else new

    handle = subject.layers[layer].register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def forecast_with(
    subject: Specimen,
    step: int,
    layer: str,
    channels: list[int] | None,
    way: str,
    other: int | None = None,
) -> np.ndarray:
    """(C, H, W) the rate of a step with channels of a layer switched off (`zero`), held at their
    mean over the map and the probe steps (`mean`), or as they were in step `other` (`swap`)."""
    value = replacement(subject, layer, way, other)
    if channels is not None and isinstance(value, Tensor):
        value = value[:, channels]
    with changed(subject, layer, channels, value):
        return torch.exp(subject.log_rate(subject.batch([step])))[0].numpy()


@torch.no_grad()
def replacement(
    subject: Specimen, layer: str, way: str, other: int | None = None
) -> Tensor | float:
    """What to put in a layer's place. Raises UserError for a way there isn't."""
    if way == "zero":
        return 0.0
    if way not in WAYS or (way == "swap" and other is None):
        raise UserError(f"A channel can be changed by {', '.join(WAYS)}; a swap needs a step.")
    steps = [other] if other is not None and way == "swap" else subject.probes(CHUNK)
    with capture(subject.network, [layer]) as caught:
        batch = subject.batch(steps)
        subject.network(batch.history, batch.calendar, batch.static)
    output = caught[layer]
    if way == "swap":
        return output
    shape = [1] * output.dim()
    axis = output.dim() - 3 if output.dim() >= 4 else 1
    shape[axis] = output.shape[axis]
    rest = [d for d in range(output.dim()) if d != axis]
    return output.mean(dim=rest).view(shape)


@torch.no_grad()
def ablations(
    subject: Specimen, layer: str | None = None, way: str = "mean", probes: int = 24
) -> list[Ablation]:
    """Without `layer` every layer as a whole, with it each of its channels, by what the score loses.

    The score is the log-likelihood an event over probe steps of the validation period (ablation of
    units: Morcos et al. 2018, ICLR). Raises UserError for a layer or a way that there isn't.
    """
    batches = _batches(subject, probes)
    whole = likelihood(subject, batches)
    found = []
    if layer is None:
        for name in maps_of(subject, batches[0]):
            with changed(subject, name, None, replacement(subject, name, way)):
                found.append(Ablation(name, None, whole - likelihood(subject, batches)))
    else:
        value = replacement(subject, layer, way)
        count = maps_of(subject, batches[0]).get(layer, 0)
        for channel in range(count):
            one = value[..., channel : channel + 1, :, :] if isinstance(value, Tensor) else value
            with changed(subject, layer, [channel], one):
                found.append(Ablation(layer, channel, whole - likelihood(subject, batches)))
    return sorted(found, key=lambda a: -a.loss)


@torch.no_grad()
def loss_over_period(
    subject: Specimen,
    layer: str,
    channels: list[int] | None,
    way: str,
    back: int = 7,
    probes: int = 24,
) -> float:
    """What the score loses with channels of a layer changed, over probe steps of the validation period:
    log-likelihood an event, as for `ablations`. A `swap` puts in every step what was there `back`
    steps before. Raises UserError for a way there isn't."""
    first = subject.span[0]
    steps = [step for step in subject.probes(probes) if step - back >= first]
    chunks = [steps[i : i + CHUNK] for i in range(0, len(steps), CHUNK)]
    batches = [subject.batch(chunk) for chunk in chunks]
    whole = likelihood(subject, batches)
    if way != "swap":
        value = replacement(subject, layer, way)
        if channels is not None and isinstance(value, Tensor):
            value = value[..., channels, :, :]
        with changed(subject, layer, channels, value):
            return whole - likelihood(subject, batches)
    total, events = 0.0, 0.0
    for chunk, batch in zip(chunks, batches, strict=True):
        with capture(subject.network, [layer]) as caught:
            earlier = subject.batch([step - back for step in chunk])
            subject.network(earlier.history, earlier.calendar, earlier.static)
        value = caught[layer] if channels is None else caught[layer][..., channels, :, :]
        with changed(subject, layer, channels, value):
            own = float(batch.target[..., torch.from_numpy(subject.area)].sum())
            total, events = total + likelihood(subject, [batch]) * own, events + own
    return whole - total / max(events, 1.0)


def maps_of(subject: Specimen, batch: Batch) -> dict[str, int]:
    """Layers that put out maps, with the number of their channels."""
    with capture(subject.network, list(subject.layers)) as caught:
        subject.network(batch.history, batch.calendar, batch.static)
    return {n: x.shape[-3] for n, x in caught.items() if x.dim() >= 4}


def _batches(subject: Specimen, probes: int) -> list[Batch]:
    steps = subject.probes(probes)
    return [subject.batch(steps[i : i + CHUNK]) for i in range(0, len(steps), CHUNK)]


def likelihood(subject: Specimen, batches: list[Batch]) -> float:
    """Σ(n ln λ − λ) / Σn over the study area."""
    area = torch.from_numpy(subject.area)
    total, events = 0.0, 0.0
    for batch in batches:
        rate = subject.log_rate(batch)[..., area]
        target = batch.target[..., area]
        total += float(log_likelihood_of_log(target, rate).sum())
        events += float(target.sum())
    return total / max(events, 1.0)


@torch.no_grad()
def forecast_after_edit(
    subject: Subject, step: int, cell: tuple[int, int], radius: int, days: int, add: float | None
) -> np.ndarray:
    """(C, H, W) the rate of a step, had the past been another: within `radius` cells of a cell, over
    the `days` steps before, all events erased (`add` None) or `add` more in each step and type.

    Everything that the network remembers is computed anew from the edited past.
    """
    counts = subject.cube.counts[: step + 1].copy()
    rows, columns = np.indices(counts.shape[2:])
    near = (np.hypot(rows - cell[0], columns - cell[1]) <= radius) & subject.area
    before = counts[max(0, step - days) : step]
    before[..., near] = 0.0 if add is None else before[..., near] + add
    cube = replace(subject.cube, counts=counts, times=subject.cube.times[: step + 1])
    own = subject.samples
    samples = Samples(cube, own.design, min(own_end(subject), step), "cpu", own.scaling)
    batch = samples.batch(torch.tensor([step]))
    return torch.exp(subject.log_rate(batch))[0].numpy()


def own_end(subject: Subject) -> int:
    """The step at which the run's study area was fixed."""
    return subject.run.settings.learnt_until
