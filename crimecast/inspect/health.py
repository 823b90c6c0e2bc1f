"""Units on the probe steps: how much of a layer is silent or saturated, and how its values spread."""

import contextlib
from dataclasses import dataclass

import numpy as np
import torch

from crimecast.designs.build import Network
from crimecast.inspect.activations import Activated, capture
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.subject import epochs_kept, subject
from crimecast.runs.run import Run

BINS = 40
PROBES = 16
RARELY = 0.002  # share of values away from the median below which all of them are judged


@dataclass(frozen=True)
class Units:
    """Per channel, over the study area and the probe steps: smallest, largest, mean and spread;
    share of values that are exactly zero, or within 2 % of the two values where a bounded
    activation ends (`moved_full`: of those values alone that are away from the channel's median, by a
    tenth of the range and more); and the same share of zeros on cells with events alone. `activation` is the one
    that follows a layer in a user's own code ("" if none): values are those after it."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    zero: np.ndarray
    zero_at_events: np.ndarray
    full: np.ndarray
    moved_full: np.ndarray
    spread_over_steps: np.ndarray
    activation: str = ""


@torch.no_grad()
def units(subject: Specimen, probes: int = PROBES) -> dict[str, Units]:
    """Every layer that puts out maps, judged on the same probe steps for every network of a split."""
    steps = subject.probes(probes)
    area = subject.area
    kept: dict[str, list[np.ndarray]] = {}
    kinds: dict[str, str] = {}
    events = []
    for step in steps:
        batch = subject.batch([step])
        after = Activated()
        own = not isinstance(subject.network, Network)  # a spec's layers hold their activations
        watching = after.watching(subject.network) if own else contextlib.nullcontext()
        with capture(subject.network, list(subject.layers)) as caught, watching:
            subject.network(batch.history, batch.calendar, batch.static)
        kinds |= after.kinds
        for name, output in (caught | after.outputs).items():
            if not subject.axes(name, output.shape).is_map:
                continue
            x = subject.maps(name, output)[0].float().numpy()
            kept.setdefault(name, []).append(
                x[:, area] if x.shape[1:] == area.shape else x.reshape(len(x), -1)
            )
        events.append(batch.target[0].sum(dim=0).numpy()[area] > 0)
    return {
        name: _units(np.stack(maps), np.stack(events), kinds.get(name, ""))
        for name, maps in kept.items()
    }


def _units(values: np.ndarray, events: np.ndarray, activation: str) -> Units:
    """values (steps, channels, cells)."""
    zero = values == 0
    at_events = zero.mean(axis=(0, 2))
    if events.shape == (values.shape[0], values.shape[2]) and events.any():
        at_events = np.array([zero[:, c][events].mean() for c in range(values.shape[1])])
    low, high = values.min(axis=(0, 2)), values.max(axis=(0, 2))
    ends, moved_to_ends = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for bottom, top in ((-1.0, 1.0), (0.0, 1.0)):
        if values.min() >= bottom - 1e-6 and values.max() <= top + 1e-6:
            margin = 0.02 * (top - bottom)
            near = (values > top - margin) | (values < bottom + margin)
            ends = near.mean(axis=(0, 2))
            usual = np.median(values, axis=(0, 2), keepdims=True)
            moved = np.abs(values - usual) > 0.1 * (top - bottom)
            often = moved.mean(axis=(0, 2))
            moved_to_ends = np.where(
                often > RARELY, (near & moved).mean(axis=(0, 2)) / np.maximum(often, 1e-12), ends
            )
    return Units(
        low, high, values.mean(axis=(0, 2)), values.std(axis=(0, 2)), zero.mean(axis=(0, 2)), at_events,
        ends, moved_to_ends, values.mean(axis=2).std(axis=0), activation,
    )  # fmt: skip


@torch.no_grad()
def histograms(run: Run, layer: str, probes: int = 4) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Epochs that a checkpoint was kept of, edges (BINS + 1), and the share of a layer's values in each
    bin (epochs, BINS), on the same probe steps."""
    epochs, all_values = epochs_kept(run), []
    for epoch in epochs:
        one = subject(run, epoch)
        batch = one.batch(one.probes(probes))
        with capture(one.network, [layer]) as caught:
            one.network(batch.history, batch.calendar, batch.static)
        x = next(iter(caught.values())).float()
        x = x[..., torch.from_numpy(one.area)] if x.shape[-2:] == one.area.shape else x
        all_values.append(x.flatten().numpy())
    if not all_values:
        return [], np.zeros(BINS + 1), np.zeros((0, BINS))
    joined = np.concatenate(all_values)
    low, high = np.quantile(joined, [0.001, 0.999])
    edges = np.linspace(low, high, BINS + 1)
    if edges[0] == edges[-1]:
        edges = np.linspace(edges[0] - 0.5, edges[0] + 0.5, BINS + 1)
    shares = [np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / len(v) for v in all_values]
    return epochs, edges, np.array(shares)
