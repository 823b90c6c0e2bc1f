"""A run's network, at its end or at a checkpoint, with its samples."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from crimecast import UserError
from crimecast.designs.inputs import map_inputs
from crimecast.forecasting.forecasts import load_network, samples_of
from crimecast.grids.cube import Cube, load_cube
from crimecast.inspect.specimen import Specimen
from crimecast.runs.run import Run
from crimecast.training import checkpoints
from crimecast.training.samples import Batch, Samples


@dataclass(frozen=True)
class Subject(Specimen):
    """A run's network, with samples that are shared."""

    run: Run
    cube: Cube
    network: nn.Module
    samples: Samples
    checkpoint: int | None = None

    @property
    def area(self) -> np.ndarray:
        """(H, W) the study area."""
        return self.samples.area

    @property
    def span(self) -> tuple[int, int]:
        """Steps [first, last) that the network can forecast."""
        return self.samples.first, len(self.cube.times)

    def batch(self, steps: list[int]) -> Batch:
        """The inputs for some steps. Raises UserError for a step that can't be forecast."""
        first, last = self.span
        if min(steps) < first or max(steps) >= last:
            raise UserError(
                f"{self.run.id} can forecast steps from {str(self.cube.times[first])[:16]} to "
                f"{str(self.cube.times[-1])[:16]}."
            )
        return self.samples.batch(torch.tensor(steps))

    def held_out(self) -> tuple[int, int]:
        """Steps [first, last) of the validation period."""
        settings = self.run.settings
        return max(settings.train, self.samples.first), settings.validate

    def input_names(self) -> tuple[list[str], list[str]]:
        """Names of the lagged frames and of the input maps, one a channel."""
        kinds = [f" {kind}" for kind in self.cube.types] if len(self.cube.types) > 1 else [""]
        design = self.run.design
        lags = [f"lag {lag}{kind}" for lag in design.lags for kind in kinds]
        maps = [
            f"{one.name}{kind}"
            for one in map_inputs(design)
            for kind in (kinds if one.by_type else [""])
        ]
        return lags, maps


def subject(run: Run, checkpoint: int | None = None) -> Subject:
    """The network of a run, or as it was after epoch `checkpoint`.

    Raises UserError if the run has no network yet, or no checkpoint of that epoch.
    """
    network, note = load_network(run)
    if checkpoint is not None:
        tensors, _ = checkpoints.load(checkpoints.checkpoint_path(run.folder, checkpoint))
        checkpoints.load_network(network, tensors)
    cube = load_cube(run.grid)
    return Subject(run, cube, network, samples_of(run, cube, note), checkpoint)


def epochs_kept(run: Run) -> list[int]:
    """The epochs of which a checkpoint was kept, in order."""
    return checkpoints.epochs_kept(run.folder)
