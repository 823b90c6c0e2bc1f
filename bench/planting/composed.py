"""Random networks, as users' own modules: `FILE.py:random_N` is the N-th.

The blocks are those of the zoo of the inspector's tests, composed anew for seven lags of one type.
"""

import random
from collections.abc import Callable

import torch
from torch import nn

from tests.networks.zoo import BLOCKS, CHANNELS, Composed

LAGS = 7


def __getattr__(name: str) -> Callable[[], Composed]:
    if not name.startswith("random_"):
        raise AttributeError(name)

    def make() -> Composed:
        seed = int(name.removeprefix("random_"))
        rng = random.Random(seed)
        torch.manual_seed(seed)
        names = [rng.choice(list(BLOCKS)) for _ in range(rng.choice((1, 2, 2, 3)))]
        network = Composed(names, [rng.random() < 0.4 for _ in names], rng)
        network.first = nn.Conv2d(LAGS, CHANNELS, 1)
        return network

    return make
