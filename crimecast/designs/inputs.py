"""The maps a design is given beside the lagged frames, in order, each with a name."""

from dataclasses import dataclass, replace

import numpy as np

from crimecast.calendar.dates import CALENDAR as CALENDAR
from crimecast.calendar.dates import calendar
from crimecast.calendar.steps import Step
from crimecast.designs.spec import Design
from crimecast.grids.memories import Memory, tells_apart


@dataclass(frozen=True)
class MapInput:
    """One input map: a memory compared with what the offset expects (`surprise`: expected at the
    time), or one of `offset`, `level`, `row`, `column`, a map from a file (`static`), or `horizon`,
    how many steps ahead is asked for where a design forecasts several. `past`, a cell's decayed mean itself, and
    `age`, the logarithm of the days behind it and one, are for layers of the kind `memory` alone."""

    name: str
    kind: str
    memory: Memory | None = None
    by_type: bool = True


PAST = ("past", "age")


def for_step(design: Design, step: Step) -> Design:
    """The design without the memories that a grid's step can't tell apart: those of the same hour
    where a step is a day or longer, and of the same weekday where it is longer than a day."""
    if not tells_apart(step, "hour"):
        design = replace(design, hour_memories=(), hour_surprises=())
    if not tells_apart(step, "weekday"):
        design = replace(design, weekday_memories=(), weekday_surprises=(), weekday_past=())
    return design


def calendar_numbers(design: Design, step: Step) -> int:
    """How many numbers of the calendar a network of the design is given at each step.

    Raises UserError for an input of the calendar that there isn't.
    """
    return calendar(np.zeros(1, dtype="datetime64[us]"), step, design.calendar).shape[1]


def map_inputs(design: Design) -> list[MapInput]:
    """Every input map of a design; those `by_type` come once for each type of the cube."""
    made = []
    for half_life in design.memories:
        for blur in design.blurs:
            made.append(_memory("memory", Memory(half_life, blur)))
    made += [_memory("memory", Memory(h, of="weekday")) for h in design.weekday_memories]
    made += [_memory("memory", Memory(h, of="hour")) for h in design.hour_memories]
    made += [_memory("memory", Memory(h, of="season")) for h in design.season_memories]
    for blur in design.surprise_blurs:
        made += [_memory("surprise", Memory(h, blur)) for h in design.surprises]
        made += [_memory("surprise", Memory(h, blur, "weekday")) for h in design.weekday_surprises]
        made += [_memory("surprise", Memory(h, blur, "hour")) for h in design.hour_surprises]
        made += [_memory("surprise", Memory(h, blur, "season")) for h in design.season_surprises]
        made += [_memory("surprise", Memory(h, blur, "first")) for h in design.first_surprises]
    if design.offset != "none":
        made.append(MapInput("offset", "offset"))
    if design.level:
        made.append(MapInput("level", "level"))
    for axis in ("row", "column"):
        for wave in range(1, design.position + 1):
            for turn in ("sin", "cos"):
                made.append(MapInput(f"{axis}_{turn}_{wave}", axis, by_type=False))
    made += [MapInput(name, "static", by_type=False) for name in design.static]
    if len(design.horizons) > 1:
        made.append(MapInput("horizon", "horizon", by_type=False))
    made += [_memory("past", Memory(h)) for h in design.past]
    made += [_memory("past", Memory(h, of="weekday")) for h in design.weekday_past]
    if design.past:
        made.append(MapInput("age", "age", by_type=False))
    return made


def channel_inputs(design: Design, types: int) -> list[MapInput]:
    """The input behind every channel of the input maps, for a cube with so many types."""
    return [one for one in map_inputs(design) for _ in range(types if one.by_type else 1)]


def map_count(design: Design, types: int) -> int:
    """How many channels the input maps are."""
    return len(channel_inputs(design, types))


def past_count(design: Design, types: int) -> int:
    """How many of these channels are for memory layers alone; they stand behind all others."""
    return sum(one.kind in PAST for one in channel_inputs(design, types))


def _memory(kind: str, memory: Memory) -> MapInput:
    of = "" if memory.of == "all" else f"_{memory.of}"
    blur = f"_blur{memory.blur:g}" if memory.blur else ""
    return MapInput(f"{kind}{of}_{memory.half_life:g}d{blur}", kind, memory)
