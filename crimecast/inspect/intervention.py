"""What if: switch channels off, hold them at their mean, swap them with another step's, edit the past.

What a layer gives is changed during a block, and nothing stays on the network after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.inspect.activations import capture
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.subject import Subject
from crimecast.judging.likelihood import log_likelihood_of_log
from crimecast.networks.calls import ROOT, Counter, first_tensor, instead, split, watched
from crimecast.networks.looked import Looked
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


# By the label of the call, or for all of them.
Replacement = dict[str, Tensor] | Tensor | float


@contextmanager
def changed(
    subject: Looked, layer: str, channels: list[int] | None, value: Replacement
) -> Iterator[None]:
    """Inside the block the channels (None: all) of what a layer gives are `value`. A layer that runs
    several times is changed in all of its calls that have such channels, `layer:2` in its second.

    Raises UserError for an unknown layer or channel.
    """
    known = layer in subject.layers
    module, number = (layer, None) if known else split(layer)
    if module not in subject.layers:
        raise UserError(f"There is no layer '{layer}'; the layers are {', '.join(subject.layers)}.")
    counter = Counter()
    running: list[int] = []

    def enter(name: str, _args: object, _kwargs: object) -> None:
        running.append(counter.begin(name))

    def leave(name: str, output: object) -> object:
        number_of_call = running.pop()
        first = first_tensor(output)
        if name == ROOT or first is None or number not in (None, number_of_call):
            return None
        label = module if module in labels else f"{module}:{number_of_call}"
        axes = subject.axes(label, first.shape)
        count = axes.count(first.shape)
        if min(channels or [], default=0) < 0:
            raise UserError(f"Channels are counted from 0: there is none {min(channels or [])}.")
        if max(channels or [], default=0) >= count:
            if len(labels) > 1 and number is None:
                return None  # another call of it has them
            if not axes.channels:
                raise UserError(
                    f"Which axis of what '{layer}' gives holds its channels isn't known: only all of it can be changed."
                )
            raise UserError(f"Layer '{layer}' has {count} channels.")
        put = value.get(label) if isinstance(value, dict) else value
        if put is None or (isinstance(put, Tensor) and put.dim() != first.dim()):
            return None
        chosen = list(range(count)) if channels is None else channels
        made = axes.put(first, chosen, put)
        own = subject.layers[module]
        if isinstance(own, nn.RNNBase):
            return _with_states(own, output, made, chosen, not isinstance(put, Tensor) and put == 0)
        return instead(output, first, made)

    # Before the block, so that the layer itself is still as it was.
    labels = _labels(subject, module)
    watching = {ROOT: subject.network, module: subject.layers[module]}
    with watched(watching, enter, leave):
        yield


def _labels(subject: Looked, module: str) -> list[str]:
    """The calls of a module in a pass."""
    if subject.is_spec:
        return [module]
    return [label for label in subject.labels if label == module or split(label)[0] == module]


def _with_states(
    module: nn.RNNBase, output: object, made: Tensor, channels: list[int], off: bool
) -> object:
    """What a recurrent layer gives, changed: its final state is its last step, of each direction the one it ends
    with; the memory of an LSTM's units that are switched `off` is empty."""
    if not (isinstance(output, tuple) and len(output) == 2 and isinstance(output[0], Tensor)):
        return output  # packed sequences: what is shown of them is no map
    states = output[1] if isinstance(output[1], tuple) else (output[1],)
    states = tuple(state.clone() for state in states)
    size, ways = states[0].shape[-1], 2 if module.bidirectional else 1
    time = 1 if module.batch_first and made.dim() == 3 else 0
    for channel in channels:
        way, unit = divmod(channel, size)
        last = made.select(time, 0 if way else made.shape[time] - 1)
        states[0][way - ways, ..., unit] = last[..., channel]
        if off and len(states) == 2 and states[1].shape[-1] == size:
            states[1][way - ways, ..., unit] = 0.0
    return made, states if isinstance(output[1], tuple) else states[0]


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
    with changed(subject, layer, channels, value):
        return torch.exp(subject.log_rate(subject.batch([step])))[0].numpy()


@torch.no_grad()
def replacement(subject: Specimen, layer: str, way: str, other: int | None = None) -> Replacement:
    """What to put in a layer's place, by the label of the call. Raises UserError for a way there isn't."""
    if way == "zero":
        return 0.0
    if way not in WAYS or (way == "swap" and other is None):
        raise UserError(f"A channel can be changed by {', '.join(WAYS)}; a swap needs a step.")
    steps = [other] if other is not None and way == "swap" else subject.probes(CHUNK)
    with capture(subject.network, [layer]) as caught:
        batch = subject.batch(steps)
        subject.network(batch.history, batch.calendar, batch.static)
    if way == "swap":
        return dict(caught)
    return {label: subject.axes(label, x.shape).mean(x) for label, x in caught.items()}


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
            with changed(subject, layer, [channel], value):
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
        with changed(subject, layer, channels, replacement(subject, layer, way)):
            return whole - likelihood(subject, batches)
    total, events = 0.0, 0.0
    for chunk, batch in zip(chunks, batches, strict=True):
        with capture(subject.network, [layer]) as caught:
            earlier = subject.batch([step - back for step in chunk])
            subject.network(earlier.history, earlier.calendar, earlier.static)
        with changed(subject, layer, channels, dict(caught)):
            own = float(batch.target[..., torch.from_numpy(subject.area)].sum())
            total, events = total + likelihood(subject, [batch]) * own, events + own
    return whole - total / max(events, 1.0)


def maps_of(subject: Specimen, batch: Batch) -> dict[str, int]:
    """Layers that put out maps, with the number of their channels."""
    with capture(subject.network, list(subject.layers)) as caught:
        subject.network(batch.history, batch.calendar, batch.static)
    axes = {label: subject.axes(label, x.shape) for label, x in caught.items()}
    return {n: axes[n].count(x.shape) for n, x in caught.items() if axes[n].is_map}


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
