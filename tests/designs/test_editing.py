"""Edits of a spec keep it a spec, do what they say and nothing else, and can be undone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crimecast.designs import editing
from crimecast.designs.kinds import KINDS
from crimecast.designs.shapes import lay_out
from crimecast.designs.spec import list_designs, load_design, parse_design, to_toml
from crimecast.errors import UserError


def names(design) -> list[str]:
    return [layer.name for layer in design.layers]


def test_an_option_at_its_default_is_not_written() -> None:
    design = load_design("stack")
    wider = editing.set_option(design, "stem", "channels", 48)
    assert wider.layers[0].options == {**design.layers[0].options, "channels": 48}
    assert wider.layers[1:] == design.layers[1:]
    usual = editing.set_option(wider, "stem", "channels", KINDS["conv"].options["channels"])
    assert "channels" not in usual.layers[0].options


def test_a_removed_layer_is_bridged() -> None:
    design = load_design("stack")
    shorter = editing.remove(design, "narrow_1")
    block = next(x for x in shorter.layers if x.name == "block_1")
    assert block.inputs == ("stem", "wide_1")
    lay_out(shorter, 1, 12, 12, 42)
    # What took the layer as the one before it takes what the layer took.
    bridged = editing.remove(design, "block_1")
    after = next(x for x in bridged.layers if x.name == "season_2")
    assert after.inputs == ("stem", "narrow_1")


def test_a_new_name_is_used_wherever_the_layer_is_named() -> None:
    design = editing.rename(load_design("stack"), "stem", "trunk")
    assert "stem" not in to_toml(design)
    lay_out(design, 1, 12, 12, 42)
    with pytest.raises(UserError, match="already"):
        editing.rename(design, "trunk", "wide_1")


def test_a_residual_block_fits_where_it_is_added() -> None:
    design = load_design("stack")
    longer = editing.add(design, "residual block", "block_2")
    assert names(longer)[-5:-2] == ["wide", "narrow", "sum"]
    assert longer.layers[-3].inputs == ("block_2", "narrow")
    for layer in ("stem", "season_1", "block_1", "block_2", "last"):
        lay_out(editing.add(design, "residual block", layer), 1, 12, 12, 42)


def test_unknown_layers_are_refused_in_a_sentence() -> None:
    design = load_design("stack")
    for change in (
        lambda: editing.remove(design, "attic"),
        lambda: editing.set_option(design, "attic", "channels", 3),
        lambda: editing.set_kind(design, "stem", "magic"),
    ):
        with pytest.raises(UserError, match=r"attic|magic"):
            change()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_edited_stays_a_spec(data: st.DataObject) -> None:
    design = load_design(data.draw(st.sampled_from(list_designs())))
    for _ in range(data.draw(st.integers(1, 6))):
        layer = data.draw(st.sampled_from(names(design)))
        action = data.draw(
            st.sampled_from(["add", "duplicate", "remove", "move", "kind", "rename"])
        )
        if action == "add":
            kind = data.draw(st.sampled_from([*KINDS, *editing.BLOCKS]))
            design = editing.add(design, kind, layer)
        elif action == "duplicate":
            design = editing.duplicate(design, layer)
        elif action == "remove" and len(design.layers) > 1:
            design = editing.remove(design, layer)
        elif action == "move":
            design = editing.move(design, layer, data.draw(st.sampled_from([-1, 1])))
        elif action == "kind":
            design = editing.set_kind(design, layer, data.draw(st.sampled_from(list(KINDS))))
        elif action == "rename":
            design = editing.rename(design, layer, f"{layer}x")
        assert len(set(names(design))) == len(names(design))
        assert parse_design(to_toml(design)) == design
