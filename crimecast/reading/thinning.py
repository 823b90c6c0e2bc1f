"""Places as parts, and some of them from all over a file."""

import numpy as np
import polars as pl

from crimecast.reading.parts import Parts, every

SOME = 0.1  # of the places, from which on they are no mistakes


def both_known(given: np.ndarray) -> np.ndarray:
    """Which places are given at all."""
    first, second = given
    return np.isfinite(first) & np.isfinite(second) & ~((first == 0) & (second == 0))


def thinned(given: Parts[np.ndarray], most: int = 10_000) -> tuple[np.ndarray, int]:
    """(2, M) places from all over the file, each once, and how many rows have one: what stands for *no
    place* in a third of the rows is still one place."""
    given = given.map(finite)
    size = sum(part.shape[1] for part in given)
    step = size // most + 1 if size > most else 1
    some = every(
        (pl.DataFrame({"a": np.round(part[0], 4), "b": np.round(part[1], 4)}) for part in given),
        step,
        size,
    )
    return some.unique(maintain_order=True).to_numpy().T, size


def places_of(longitude: np.ndarray, latitude: np.ndarray) -> Parts[np.ndarray]:
    """Places in memory as one part."""
    return Parts.one(np.stack([longitude, latitude]))


def finite(part: np.ndarray) -> np.ndarray:
    """Of (2, N), the places of which both are known."""
    return part[:, np.isfinite(part).all(axis=0)]
