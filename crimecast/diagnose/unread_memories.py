"""Memories of a layer that nothing after it reads: the forecast is the same without them.

Each is put at what it says on average over cells and probe steps, in its own maps and in those of the whole city; it counts as
unread where the logarithm of the rate changes by less than a thousandth (root mean square over cells and steps).
From a fifth of them on the layer has more than it needs.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from crimecast.designs.build import named_layers
from crimecast.designs.remembering import Memory
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.diagnose.same_memories import SHARE

UNREAD = 1e-3  # of the logarithm of the rate
PROBES = 4  # steps


def judge(case: Case) -> Iterator[Finding]:
    """Memory layers, a fifth of whose memories change nothing."""
    for name, layer in named_layers(case.subject.network).items():
        if not isinstance(layer, Memory):
            continue
        effects = effects_of(case, layer)
        half_lives = layer.half_lives().tolist()
        silent = [days for days, effect in zip(half_lives, effects, strict=True) if effect < UNREAD]
        if len(silent) >= SHARE * len(effects):
            shown = ", ".join(f"{days:,.0f}" for days in sorted(silent)[:6])
            some = " …" if len(silent) > 6 else ""
            yield Finding(
                "unread_memories", name, "low",
                {"memories": len(effects), "unread": len(silent), "largest_effect": max(effects)},
                f"Nothing reads {len(silent)} of the {len(effects)} memories of {name} (half-lives of {shown}{some} days): the forecast is the same without them. "
                "Fewer would do, or read them otherwise.",
                {f"layer.{name}.count": max(2, layer.count[0] // 2 - -(-len(silent) // 2))},
            )  # fmt: skip


def effects_of(case: Case, layer: Memory) -> list[float]:
    """By how much the logarithm of the rate changes without each memory (root mean square over cells and steps)."""
    subject, inside = case.subject, case.mask
    batch = subject.batch(subject.probes(PROBES))
    own: list[int] = []  # the maps of one memory

    def without(_layer: nn.Module, _inputs: object, maps: Tensor) -> Tensor:
        made = maps.clone()
        made[:, own] = maps[:, own][..., inside].mean(dim=(0, 2))[:, None, None]
        return made

    def forecast() -> Tensor:
        with torch.no_grad():
            rate: Tensor = subject.network(batch.history, batch.calendar, batch.static)
        return rate[..., inside]

    before, effects = forecast(), []
    sharp, every = layer.count[0] // 2, sum(layer.count)
    with layer.register_forward_hook(without):
        for number in range(every):
            places = [number, every + number] if number < sharp else [number]
            own[:] = [place * layer.types + kind for place in places for kind in range(layer.types)]
            effects.append(float((forecast() - before).pow(2).mean().sqrt()))
    return effects
