"""A network as a diagram: every layer a box below those it takes from, its lines around the others.

Layers are placed by the longest way from the inputs, edges over several rows get a place of their
own in each, and rows are ordered by the mean place of what they are joined to (Sugiyama, Tagawa &
Toda 1981, IEEE Trans. Systems, Man and Cybernetics 11).
"""

import itertools
from dataclasses import dataclass, field

WIDTH, HEIGHT, GAP, BETWEEN = 172.0, 58.0, 22.0, 34.0
THREAD = 16.0  # width of an edge that passes a row
SWEEPS = 8


@dataclass(frozen=True)
class Item:
    """What to draw of a layer: its lines of text, what it takes, how dark it is (0 to 1), and whether it
    can't be built."""

    name: str
    lines: tuple[str, ...]
    takes: tuple[str, ...]
    share: float = 0.0
    broken: bool = False


@dataclass(frozen=True)
class Diagram:
    """Boxes: name → left, top, width, height. Edges: source, target and the points they pass."""

    width: float
    height: float
    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    edges: list[tuple[str, str, list[tuple[float, float]]]] = field(default_factory=list)


def diagram(items: list[Item]) -> Diagram:
    """Place layers, given in an order in which each comes after those it takes. What is taken but
    not listed (`frames`, `maps`) is a source, a box of one line at the top."""
    depth: dict[str, int] = {}
    for item in items:
        for source in item.takes:
            depth.setdefault(source, 0)
        depth[item.name] = 1 + max((depth[source] for source in item.takes), default=-1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name, row in depth.items():
        rows[row].append(name)
    joined: dict[str, list[str]] = {name: [] for name in depth}
    ways: list[tuple[str, str, list[str]]] = []
    for item in items:
        for source in item.takes:
            way = [source]
            for row in range(depth[source] + 1, depth[item.name]):
                thread = f"{source}\0{item.name}\0{row}"
                rows[row].append(thread)
                joined[thread] = []
                way.append(thread)
            way.append(item.name)
            for one, other in itertools.pairwise(way):
                joined[one].append(other)
                joined[other].append(one)
            ways.append((source, item.name, way))
    _untangle(rows, joined)
    return _drawn(rows, ways)


def _untangle(rows: list[list[str]], joined: dict[str, list[str]]) -> None:
    """Order each row by the mean place of what it is joined to, downwards and upwards in turn."""
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            place = {
                name: i - (len(other) - 1) / 2 for other in rows for i, name in enumerate(other)
            }
            near = {
                name: sum(place[n] for n in joined[name]) / len(joined[name])
                if joined[name]
                else place[name]
                for name in row
            }
            row.sort(key=lambda name: near[name])


def _drawn(rows: list[list[str]], ways: list[tuple[str, str, list[str]]]) -> Diagram:
    wide = [sum((THREAD if "\0" in n else WIDTH) + GAP for n in row) - GAP for row in rows]
    whole = max(wide, default=0.0)
    boxes: dict[str, tuple[float, float, float, float]] = {}
    for number, row in enumerate(rows):
        left = (whole - wide[number]) / 2
        for name in row:
            width = THREAD if "\0" in name else WIDTH
            boxes[name] = (left, number * (HEIGHT + BETWEEN), width, HEIGHT)
            left += width + GAP
    edges = []
    for source, target, way in ways:
        points = []
        for place, name in enumerate(way):
            left, top, width, height = boxes[name]
            middle = left + width / 2
            if place:
                points.append((middle, top))
            if place < len(way) - 1:
                points.append((middle, top + height))
        edges.append((source, target, points))
    shown = {name: box for name, box in boxes.items() if "\0" not in name}
    return Diagram(whole, len(rows) * (HEIGHT + BETWEEN) - BETWEEN, shown, edges)
