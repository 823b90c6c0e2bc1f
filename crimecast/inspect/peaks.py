"""When and where a channel is excited most: the steps and cells at which its values are highest."""

from dataclasses import dataclass

import numpy as np

from crimecast.inspect.activations import activations_of
from crimecast.inspect.specimen import Specimen

CHUNK = 16  # steps in one forward pass


@dataclass(frozen=True)
class Peak:
    """A step, the cell (row, column) of the layer's map with the highest value in it, that value,
    and the channel's map (H, W) of the step."""

    step: int
    cell: tuple[int, int]
    value: float
    map: np.ndarray


def peaks(
    one: Specimen, layer: str, channel: int, steps: list[int], area: np.ndarray, count: int = 6
) -> list[Peak]:
    """The `count` steps whose highest value on the area (H, W of the layer's maps) is the largest.

    The highest first; at most one peak a step. Raises UserError for an unknown layer.
    """
    found: list[Peak] = []
    for begin in range(0, len(steps), CHUNK):
        chunk = steps[begin : begin + CHUNK]
        values = activations_of(one, chunk, [layer])[layer][:, channel]
        inside = np.where(area, values, -np.inf).reshape(len(chunk), -1)
        at = inside.argmax(axis=1)
        for step, map_, place, high in zip(chunk, values, at, inside.max(axis=1), strict=True):
            row, column = divmod(int(place), area.shape[1])
            found.append(Peak(step, (row, column), float(high), map_.copy()))
        found = sorted(found, key=lambda peak: -peak.value)[:count]
    return found
