"""What a run's phases train on, and for how long: the fit, and the refit that may follow it."""

from dataclasses import dataclass

from crimecast.grids.cube import Split
from crimecast.training.samples import Samples


@dataclass(frozen=True)
class Plan:
    """What to do: train on steps [first, end), validate on `held_out` (None for a refit)."""

    phase: str
    first: int
    end: int
    held_out: tuple[int, int] | None
    epochs: int
    schedule_epochs: int


def fit_plan(split: Split, samples: Samples, epochs: int) -> Plan:
    """The first phase: train on the training period, hold the validation period out."""
    held_out = (split.train, split.validate)
    return Plan("fit", _first(samples, split.train), split.train, held_out, epochs, epochs)


def refit_plan(split: Split, samples: Samples, best_epoch: int, epochs: int) -> Plan:
    """The second phase of a refit: both periods together, for as long as validation found best."""
    return Plan("refit", _first(samples, split.validate), split.validate, None, best_epoch, epochs)


def _first(samples: Samples, end: int) -> int:
    """The first step to learn from: after the longest lag, and after a tenth of the period where
    memories are used, since before that they have little to remember."""
    return max(samples.first, int(0.1 * end)) if samples.design.memories else samples.first
