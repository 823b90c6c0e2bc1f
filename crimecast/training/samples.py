"""What a network is given for each step, gathered by index from arrays that stay on the device."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crimecast.baselines import decayed_mean_of, mean, tune_half_life
from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.memories import decayed_means, log_maps
from crimecast.mixture import Mixture, fit_mixture, mixture_rates
from crimecast.windows import Cube, calendar

OFFSET_FLOOR = 1e-5


@dataclass(frozen=True)
class Batch:
    """history (B, L, C, H, W), calendar (B, F), static (B, S, H, W), offset and target (B, C, H, W)."""

    history: Tensor
    calendar: Tensor
    static: Tensor
    offset: Tensor
    target: Tensor


class Samples:
    """All samples of a cube for a design. A sample is named by the index of the step it forecasts.

    `scaling` holds what was measured on the training period (what the offset was fitted to, mean and
    spread of each input map); it is stored with the run and never measured again.
    """

    def __init__(
        self,
        cube: Cube,
        design: Design,
        train_end: int,
        device: str = "cpu",
        scaling: dict[str, Any] | None = None,
    ) -> None:
        self.cube, self.design = cube, design
        self.device = torch.device(device)
        self.area = cube.area(train_end)
        if not self.area.any():
            raise UserError("The study area is empty: no cell had an event in the training period.")
        self.lags = torch.tensor(design.lags, device=self.device)
        self.first = max(design.lags)
        if self.first >= train_end:
            raise UserError(
                f"The training period of {train_end} steps is shorter than the longest lag ({self.first})."
            )
        maps = self._memory_maps()
        offset, fitted = self._offset(train_end, scaling)
        if scaling is None:
            known = maps[self.first : train_end][..., self.area].astype(np.float64)
            axes = (0, 3)
            scaling = {
                **fitted,
                "center": known.mean(axis=axes).ravel().tolist(),
                "spread": np.maximum(known.std(axis=axes), 1e-3).ravel().tolist(),
            }
        self.scaling = scaling
        if maps.shape[1]:
            shape = (1, maps.shape[1], maps.shape[2], 1, 1)
            maps -= np.asarray(scaling["center"], dtype=np.float32).reshape(shape)
            maps /= np.asarray(scaling["spread"], dtype=np.float32).reshape(shape)
            maps *= self.area  # beyond the city there is nothing to remember
        steps, _, height, width = cube.counts.shape
        self.static = self._to_device(
            maps.reshape(steps, maps.shape[1] * maps.shape[2], height, width)
        )
        self.counts = self._to_device(cube.counts)
        self.offset = self._to_device(offset)
        self.calendar = self._to_device(calendar(cube.times, cube.step, list(design.calendar)))
        self.mask = torch.from_numpy(self.area).to(self.device)

    def _to_device(self, array: np.ndarray) -> Tensor:
        if not array.flags.writeable:
            array = array.copy()
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self.device)

    def _memory_maps(self) -> np.ndarray:
        """(T, M, C, H, W) logarithms of the decayed means the design asks for."""
        cube, design = self.cube, self.design
        if not design.memories:
            return np.zeros((cube.counts.shape[0], 0, *cube.counts.shape[1:]), dtype=np.float32)
        half_lives = [days / cube.step.days for days in design.memories]
        return log_maps(decayed_means(cube.counts, half_lives, self.area, design.horizon))

    def _offset(
        self, train_end: int, scaling: dict[str, Any] | None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """(T, C, H, W) logarithm of the rate that the network corrects (zero for offset "none"),
        and what was fitted for it on the training period."""
        cube, steps = self.cube, len(self.cube.times)
        rates = np.ones_like(cube.counts)
        fitted: dict[str, Any] = {}
        lead = self.design.horizon
        made = None
        if self.design.offset == "decayed_mean":
            fitted = {
                "half_life": scaling["half_life"] if scaling else tune_half_life(cube, train_end)
            }
            made = decayed_mean_of(cube, fitted["half_life"], 1, steps)
        elif self.design.offset == "memory_mixture":
            if scaling:
                mixture = Mixture(np.array(scaling["weights"]), np.array(scaling["level"]))
            else:
                mixture = fit_mixture(cube, self.area, train_end)
            fitted = {"weights": mixture.weights.tolist(), "level": mixture.level.tolist()}
            made = mixture_rates(cube, self.area, mixture, 1, steps)
        elif self.design.offset == "mean":
            made = mean(cube, 1, steps)
        if made is not None:
            rates[lead:] = made[: steps - lead]
        return np.log(np.maximum(rates, OFFSET_FLOOR)), fitted

    def batch(self, steps: Tensor) -> Batch:
        """The samples that forecast `steps` (B,), each at least `self.first`."""
        return Batch(
            history=self.counts[steps[:, None] - self.lags],
            calendar=self.calendar[steps],
            static=self.static[steps],
            offset=self.offset[steps],
            target=self.counts[steps],
        )


def log_rate(network: torch.nn.Module, batch: Batch) -> Tensor:
    """(B, C, H, W) log rate: what the network says, on top of the offset; kept within e^±15."""
    return (network(batch.history, batch.calendar, batch.static) + batch.offset).clamp(-15.0, 15.0)


def poisson_loss(rate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean of λ − n ln λ over the study area; `rate` is the logarithm."""
    terms = torch.exp(rate) - target * rate
    return (terms * mask).sum() / (mask.sum() * rate.shape[0] * rate.shape[1])
