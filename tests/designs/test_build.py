"""Shapes and parameters worked out beforehand equal those of the network that is built."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crimecast.designs.build import Network, build
from crimecast.designs.shapes import place
from crimecast.designs.spec import Design, list_designs, load_design, parse_design
from crimecast.errors import UserError
from crimecast.inspect.activations import capture

CALENDAR = 11


def run(design: Design, types: int, height: int, width: int) -> tuple[torch.Tensor, dict, Network]:
    network = build(design, types, height, width, CALENDAR, seed=3).eval()
    maps = types * len(design.memories)
    history, static = (
        torch.rand(2, len(design.lags), types, height, width),
        torch.randn(2, maps, height, width),
    )
    with torch.no_grad(), capture(network, list(network.blocks)) as caught:
        out = network(history, torch.rand(2, CALENDAR), static)
    return out, caught, network


@pytest.mark.parametrize("name", list_designs())
@given(types=st.integers(1, 3), height=st.integers(9, 24), width=st.integers(9, 24))
def test_shapes_and_parameters(name: str, types: int, height: int, width: int) -> None:
    design = load_design(name)
    placed = place(design, types, height, width, CALENDAR)
    out, caught, network = run(design, types, height, width)
    assert out.shape == (2, types, height, width)
    for layer in placed:
        assert tuple(caught[layer.layer.name].shape[1:]) == layer.shape
        assert (
            sum(p.numel() for p in network.blocks[layer.layer.name].parameters())
            == layer.parameters
        )


def test_every_kind_of_layer() -> None:
    design = parse_design(
        """
        name = "all"
        lags = [1, 2]
        calendar = ["dow", "doy"]
        [[layer]]
        name = "a"
        kind = "conv"
        channels = 6
        kernel = 5
        norm = "batch"
        activation = "tanh"
        [[layer]]
        name = "b"
        kind = "conv"
        channels = 6
        dilation = 2
        groups = 3
        [[layer]]
        name = "c"
        kind = "concat"
        inputs = ["a", "b"]
        [[layer]]
        name = "d"
        kind = "conv"
        channels = 6
        stride = 2
        norm = "group"
        [[layer]]
        name = "p"
        kind = "pool"
        method = "max"
        [[layer]]
        name = "u"
        kind = "upsample"
        like = "a"
        [[layer]]
        name = "s"
        kind = "add"
        inputs = ["u", "a", "b"]
        [[layer]]
        name = "f"
        kind = "film"
        [[layer]]
        name = "o"
        kind = "dropout"
        [[layer]]
        name = "out"
        kind = "head"
        """
    )
    placed = place(design, 2, 13, 10, CALENDAR)
    out, caught, network = run(design, 2, 13, 10)
    assert out.shape == (2, 2, 13, 10)
    assert [tuple(caught[p.layer.name].shape[1:]) for p in placed] == [p.shape for p in placed]
    assert sum(p.parameters for p in placed) == sum(p.numel() for p in network.parameters())


def test_a_new_network_says_nothing_beyond_the_offset() -> None:
    out, _, _ = run(load_design("stack"), 1, 20, 20)
    assert not out.any()


def test_the_seed_decides_the_weights_and_nothing_outside() -> None:
    design = load_design("stack")
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    one = build(design, 1, 12, 12, CALENDAR, seed=1).state_dict()
    assert torch.rand(1) == before
    same, other = (build(design, 1, 12, 12, CALENDAR, seed=s).state_dict() for s in (1, 2))
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert not all(torch.equal(one[k], other[k]) for k in one)


def spec(*layers: str) -> str:
    return 'name = "x"\nlags = [1]\ncalendar = []\n' + "\n".join(
        f"[[layer]]\n{layer}" for layer in layers
    )


OUT = 'name = "out"\nkind = "head"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (spec('name = "a"\nkind = "magic"', OUT), "kind 'magic' is unknown"),
        (spec('name = "a"\nkind = "conv"\nsize = 3', OUT), "Layer 'a': a conv has no option 'size'"),
        (spec('name = "a"\nkind = "conv"\nkernel = 2', OUT), "Layer 'a': kernel must be odd"),
        (spec('name = "a"\nkind = "conv"\ninputs = ["b"]', OUT), "takes 'b', which is not a layer before it"),
        (spec('name = "a"\nkind = "conv"\nchannels = 5\ngroups = 2', OUT), "2 groups divide neither"),
        (spec('name = "a"\nkind = "conv"\nchannels = 0', OUT), "channels must be a whole number"),
        (spec('name = "a"\nkind = "conv"\nactivation = "x"', OUT), "activation 'x' is unknown"),
        (spec('name = "a"\nkind = "conv"', 'name = "a"\nkind = "conv"', OUT), "named twice"),
        (spec('name = "a"\nkind = "conv"\nchannels = 4', 'name = "b"\nkind = "add"\ninputs = ["a", "frames"]', OUT),
         "can't add shapes 4×9×8 and 1×9×8"),
        (spec('name = "a"\nkind = "pool"', OUT), "gives maps of 5×4, but the grid is 9×8"),
        (spec('name = "a"\nkind = "pool"\nsize = 20', OUT), "larger than the map"),
        (spec('name = "a"\nkind = "film"', OUT), "needs calendar inputs"),
        (spec('name = "a"\nkind = "dropout"\nrate = 1', OUT), "rate must lie between"),
        (spec('name = "a"\nkind = "conv"'), "The last layer must be a head"),
    ],
)  # fmt: skip
def test_shapes_that_clash_are_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        place(parse_design(text), 1, 9, 8)


def test_a_users_module_is_made_and_a_wrong_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from torch import nn\nclass Net(nn.Identity): pass\nclass Not: pass\n")
    assert build(load_design(f"{path}:Net"), 1, 4, 4, 0).__class__.__name__ == "Net"
    for name, text in (("Not", "not a torch.nn.Module"), ("Nowhere", "has no class Nowhere")):
        with pytest.raises(UserError, match=text):
            build(load_design(f"{path}:{name}"), 1, 4, 4, 0)
    path.write_text("1 / 0")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        build(load_design(f"{path}:Net"), 1, 4, 4, 0)
    monkeypatch.setenv("CRIMECAST_ALLOW_MODULES", "0")
    with pytest.raises(UserError, match="doesn't run users' own modules"):
        build(load_design(f"{path}:Net"), 1, 4, 4, 0)
