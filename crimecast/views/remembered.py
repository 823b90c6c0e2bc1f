"""What the memories of a layer have become: how long each lasts, how far it reaches, and from where they came."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from crimecast.designs.build import named_layers
from crimecast.designs.remembering import Memory
from crimecast.inspect.subject import epochs_kept, subject
from crimecast.runs.run import load_run


class Remembered(NamedTuple):
    """half_lives (E, J) days and spreads (E, J) metres after each epoch that was kept and now; of_weekday (J,)."""

    half_lives: np.ndarray
    spreads: np.ndarray
    of_weekday: np.ndarray


@lru_cache(maxsize=16)
def remembered(name: str, _stamp: int, layer: str) -> Remembered | None:
    """The memories of a layer; None for one of another kind."""
    run = load_run(name)
    now = subject(run)
    if not isinstance(named_layers(now.network).get(layer), Memory):
        return None
    moments = [*(subject(run, epoch) for epoch in epochs_kept(run)), now]
    with torch.no_grad():
        own = [named_layers(one.network)[layer] for one in moments]
        layers = [one for one in own if isinstance(one, Memory)]
        half_lives = np.stack([one.half_lives().numpy() for one in layers])
        spreads = np.stack([one.spreads().numpy() for one in layers]) * now.cube.cell
    of_weekday = np.arange(half_lives.shape[1]) >= layers[-1].count[0]
    return Remembered(half_lives, spreads, of_weekday)


def in_words(memories: Remembered) -> str:
    """The memories in one sentence."""
    days = memories.half_lives[-1, ~memories.of_weekday]
    wide = memories.spreads[-1][memories.spreads[-1] > 0]
    reach = f"; those that spread reach {wide.min():,.0f} to {wide.max():,.0f} m" if wide.size else ""  # fmt: skip
    return f"{days.size} memories of all steps forget half of what they hold within {days.min():,.0f} to {days.max():,.0f} days{reach}."
