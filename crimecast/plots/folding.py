"""Blocks of layers that repeat in a row, folded into one box of a diagram until somebody opens it."""

from collections.abc import Collection
from dataclasses import dataclass

from crimecast.plots.diagram import Item

FROM = 12  # layers: a smaller network is seen whole
LEAST = 3  # times that a block stands in a row
LONGEST = 40  # layers of a block


@dataclass(frozen=True)
class Block:
    """`times` blocks of `length` layers each, from layer number `begin` on."""

    begin: int
    length: int
    times: int

    @property
    def end(self) -> int:
        """The number of the layer after the last."""
        return self.begin + self.length * self.times


def blocks(items: list[Item]) -> list[Block]:
    """Where the same layers (kind, sizes, and what they take, counted back from each) stand at least
    LEAST times in a row; of several ways to see it the one that covers most, the shortest block first."""
    number = {item.name: i for i, item in enumerate(items)}
    alike = [
        (item.lines[1:], item.broken, tuple(i - number[t] if t in number else t for t in item.takes))
        for i, item in enumerate(items)
    ]  # fmt: skip
    found, at = [], 0
    while at < len(items):
        best = Block(at, 1, 1)
        for length in range(1, min(LONGEST, (len(items) - at) // LEAST) + 1):
            same = 0
            while at + length + same < len(items) and alike[at + same] == alike[at + length + same]:
                same += 1
            block = Block(at, length, 1 + same // length)
            if block.times >= LEAST and block.end > best.end:
                best = block
        if best.times >= LEAST:
            found.append(best)
        at = best.end
    return found


def fold(items: list[Item], opened: Collection[str] = ()) -> tuple[list[Item], dict[str, str]]:
    """The layers with each block that repeats as one item, but for those that are `opened`; and, for each
    layer inside of one, the item that stands for it. A network of a few layers stays as it is."""
    inside: dict[str, str] = {}
    made: dict[str, Item] = {}
    for block in blocks(items) if len(items) >= FROM else []:
        members = items[block.begin : block.end]
        name = f"{members[0].name} … {members[-1].name}"
        if name not in opened:
            inside |= {member.name: name for member in members}
            kinds = [
                " ".join(member.lines[1:2]).partition(" · ")[0]
                for member in members[: block.length]
            ]
            layers = kinds[0] if len(kinds) == 1 else f"{len(kinds)} layers"
            lines = (f"{block.times} × {layers}", name, "click to open")
            outside = dict.fromkeys(t for m in members for t in m.takes if inside.get(t) != name)
            made[name] = Item(name, lines, tuple(outside), max(m.share for m in members))
    shown: dict[str, Item] = {}
    for item in items:
        one = made.get(inside.get(item.name, ""), item)
        if one.name not in shown:
            takes = dict.fromkeys(inside.get(source, source) for source in one.takes)
            shown[one.name] = Item(one.name, one.lines, tuple(takes), one.share, one.broken)
    return list(shown.values()), inside
