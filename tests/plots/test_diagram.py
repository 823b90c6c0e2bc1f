"""Diagrams: every layer below what it takes, no box upon another, no line through a box."""

from hypothesis import given
from hypothesis import strategies as st

from crimecast.plots.diagram import HEIGHT, Item, diagram


@st.composite
def networks(draw: st.DrawFn) -> list[Item]:
    items: list[Item] = []
    for number in range(draw(st.integers(1, 14))):
        known = ["frames", "maps", *(item.name for item in items)]
        takes = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        items.append(Item(f"layer{number}", (f"layer{number}",), tuple(takes)))
    return items


@given(networks())
def test_layers_lie_below_what_they_take_and_nothing_overlaps(items: list[Item]) -> None:
    made = diagram(items)
    for item in items:
        for source in item.takes:
            assert made.boxes[item.name][1] >= made.boxes[source][1] + HEIGHT
    boxes = list(made.boxes.values())
    for i, (x, y, width, height) in enumerate(boxes):
        assert x >= 0
        assert x + width <= made.width + 1e-6
        assert y + height <= made.height + 1e-6
        for a, b, w, _ in boxes[i + 1 :]:
            assert y != b or a >= x + width or a + w <= x
    assert {(source, target) for source, target, _ in made.edges} == {
        (source, item.name) for item in items for source in item.takes
    }


@given(networks())
def test_no_line_crosses_a_box(items: list[Item]) -> None:
    made = diagram(items)
    for source, target, points in made.edges:
        for (x, y), (_, below) in zip(points[1:-1:2], points[2:-1:2], strict=True):
            for name, (left, top, width, _) in made.boxes.items():
                if name not in (source, target) and y <= top < below:
                    assert not left < x < left + width
