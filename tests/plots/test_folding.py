"""Blocks that repeat are found and folded, and no layer or line is lost."""

from hypothesis import given
from hypothesis import strategies as st

from crimecast.plots.diagram import Item, diagram
from crimecast.plots.folding import FROM, Block, blocks, fold
from tests.plots.test_diagram import networks


def chain(kinds: list[str], skip: int = 0) -> list[Item]:
    """Layers one after the other; with `skip`, those called `add` take what came so many before too."""
    items: list[Item] = []
    for number, kind in enumerate(kinds):
        takes = [items[-1].name if items else "frames"]
        if skip and kind == "add":
            takes.append(items[number - skip].name)
        items.append(
            Item(f"l{number}", (f"l{number}", f"{kind} · 8×9×9", "72 weights"), tuple(takes))
        )
    return items


def test_blocks_with_skips_are_one_box_each_and_open_by_name() -> None:
    items = chain(["conv", *["norm", "relu", "conv", "add"] * 5, "head"], skip=4)
    assert blocks(items) == [Block(1, 4, 5)]
    shown, inside = fold(items)
    assert [item.name for item in shown] == ["l0", "l1 … l20", "l21"]
    assert shown[1].lines[:1] == ("5 × 4 layers",)
    assert [item.takes for item in shown] == [("frames",), ("l0",), ("l1 … l20",)]
    assert {name for name in inside} == {f"l{i}" for i in range(1, 21)}
    assert fold(items, {"l1 … l20"}) == (items, {})


def test_the_shortest_block_and_the_rest_beside_it() -> None:
    items = chain(["conv", "relu"] * 7 + ["conv", "pool", "head"])
    assert blocks(items) == [Block(0, 2, 7)] or blocks(items) == [Block(1, 2, 7)]
    assert blocks(chain(["a", "b"] * 2 + ["c"] * 2)) == []


def test_blocks_of_other_sizes_or_other_sources_are_not_alike() -> None:
    items = chain(["conv"] * 13)
    items[5] = Item("l5", ("l5", "conv · 16×9×9", "72 weights"), ("l4",))
    items[9] = Item("l9", items[9].lines, ("l8", "maps"))
    assert [(b.begin, b.end) for b in blocks(items)] == [(1, 5), (6, 9), (10, 13)]


@given(networks(), st.integers(1, 4), st.integers(2, 6))
def test_folded_is_a_network_again_of_the_same_layers(
    one: list[Item], length: int, times: int
) -> None:
    tail = [
        Item(f"t{i}", ("", f"k{i % length}"), ((f"t{i - 1}" if i else one[-1].name),))
        for i in range(length * times)
    ]
    items = [*one, *tail]
    shown, inside = fold(items)
    names = [item.name for item in shown]
    assert len(set(names)) == len(names)
    assert {*names, *inside} - set(inside.values()) == {item.name for item in items}
    known = {"frames", "maps"}
    for item in shown:  # each after what it takes, none from itself
        assert set(item.takes) <= known
        known.add(item.name)
    edges = {(inside.get(s, s), inside.get(i.name, i.name)) for i in items for s in i.takes}
    assert {(s, t) for s, t, _ in diagram(shown).edges} == {(s, t) for s, t in edges if s != t}
    if times >= 4 and len(items) >= FROM:
        assert inside
