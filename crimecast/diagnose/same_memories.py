"""Memories of a layer that have become the same: half-lives and spreads that training brought together.

Half-lives are the same within a tenth, spreads within a quarter of a cell. Decayed means of independent counts whose
half-lives are in the ratio r correlate by 2√r / (1 + r), here 0.999. Two of a kind may meet; from a fifth of them on
the layer has fewer than it pays for.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.designs.build import named_layers
from crimecast.designs.remembering import Memory
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

ALIKE = np.log2(1.1)  # of half-lives
BESIDE = 0.25  # cells, of spreads
SHARE = 0.2  # of the memories


def judge(case: Case) -> Iterator[Finding]:
    """Memory layers, a fifth of whose memories are another's."""
    for name, layer in named_layers(case.subject.network).items():
        if not isinstance(layer, Memory):
            continue
        half_lives = layer.half_lives().detach().cpu().numpy()
        spreads = layer.spreads().detach().cpu().numpy()
        of_weekday = np.arange(len(half_lives)) >= layer.count[0]
        kept: list[int] = []
        for j in np.lexsort((half_lives, spreads, of_weekday)):
            if not any(_alike(half_lives, spreads, of_weekday, int(j), k) for k in kept):
                kept.append(int(j))
        again = len(half_lives) - len(kept)
        if again >= SHARE * len(half_lives):
            count = max(2, layer.count[0] // 2 - -(-again // 2))
            yield Finding(
                "same_memories", name, "medium",
                {"memories": len(half_lives), "different": len(kept)},
                f"{again} of the {len(half_lives)} memories of {name} last as long and reach as far as another: {len(kept)} would do.",
                {f"layer.{name}.count": count},
            )  # fmt: skip


def _alike(
    half_lives: np.ndarray, spreads: np.ndarray, of_weekday: np.ndarray, j: int, k: int
) -> bool:
    return bool(
        of_weekday[j] == of_weekday[k]
        and abs(np.log2(half_lives[j] / half_lives[k])) < ALIKE
        and abs(spreads[j] - spreads[k]) < BESIDE
    )
