"""Shapes and parameters worked out beforehand equal those of the network that is built."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crimecast.designs.build import MODULES, Network, build, module_classes
from crimecast.designs.inputs import map_count
from crimecast.designs.kinds import KINDS
from crimecast.designs.shapes import as_far_as_it_goes, lay_out
from crimecast.designs.spec import Design, Layer, list_designs, load_design, parse_design
from crimecast.errors import UserError
from crimecast.inspect.activations import capture
from crimecast.views.design import design_items

CALENDAR = 11


def run(design: Design, types: int, height: int, width: int) -> tuple[torch.Tensor, dict, Network]:
    network = build(design, types, height, width, CALENDAR, seed=3).eval()
    maps = map_count(design, types)
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
    laid = lay_out(design, types, height, width, CALENDAR)
    out, caught, network = run(design, types, height, width)
    assert out.shape == (2, types, height, width)
    for layer in laid:
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
    laid = lay_out(design, 2, 13, 10, CALENDAR)
    out, caught, network = run(design, 2, 13, 10)
    assert out.shape == (2, 2, 13, 10)
    assert [tuple(caught[p.layer.name].shape[1:]) for p in laid] == [p.shape for p in laid]
    assert sum(p.parameters for p in laid) == sum(p.numel() for p in network.parameters())


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
        lay_out(parse_design(text), 1, 9, 8, 0)


def test_a_design_goes_as_far_as_the_layer_that_clashes() -> None:
    for name in list_designs():
        design = load_design(name)
        whole = lay_out(design, 1, 12, 9, 11)
        assert as_far_as_it_goes(design, 1, 12, 9, 11) == (whole, None)
        for at in (0, 1, len(design.layers) - 1):
            wrong = replace(design.layers[at], inputs=("nowhere",))
            layers = (*design.layers[:at], wrong, *design.layers[at + 1 :])
            fits, failing = as_far_as_it_goes(replace(design, layers=layers), 1, 12, 9, 11)
            assert (fits, failing) == (whole[:at], wrong)
            items = design_items(fits, failing)
            assert [item.name for item in items] == [layer.name for layer in layers[: at + 1]]
            assert [item.broken for item in items] == [False] * at + [True]


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


def st_resnet(filters: int, units: int) -> Design:
    """The shipped network with other numbers of filters and residual units, as in the paper."""
    shipped = load_design("st_resnet_plain")
    layers = []
    for layer in shipped.layers:
        options = dict(layer.options)
        if "channels" in options:
            options["channels"] = filters
        branch, _, rest = layer.name.partition("_")
        if rest.endswith(("_1", "_2")):
            if rest != "relu_1":
                continue
            before = f"{branch}_in"
            for unit in range(1, units + 1):
                conv = {"channels": filters, "kernel": 3}
                layers += [
                    Layer(f"{branch}_relu_{unit}", "norm", (before,), {"norm": "none", "activation": "relu"}),
                    Layer(f"{branch}_a_{unit}", "conv", (), conv),
                    Layer(f"{branch}_b_{unit}", "conv", (), {**conv, "activation": "none"}),
                    Layer(f"{branch}_sum_{unit}", "add", (before, f"{branch}_b_{unit}")),
                ]  # fmt: skip
                before = f"{branch}_sum_{unit}"
            continue
        layers.append(Layer(layer.name, layer.kind, layer.inputs, options))
    return replace(shipped, layers=tuple(layers))


@pytest.mark.parametrize("units", [2, 4, 12])
def test_st_resnet_has_the_parameters_of_the_paper(units: int) -> None:
    # Zhang, Zheng & Qi (2017): two flows on 32×32; per branch Conv1 (3×3, 64), L residual units of
    # two 3×3 convolutions each, Conv2 (3×3 to the flows); a fusion weight for each branch, flow and
    # cell; the external factors through 10 units to every flow and cell. Ours ends in a 1×1 head.
    flows, side, filters, frames, calendar = 2, 32, 64, 3, 11
    conv1 = filters * (frames * flows * 9 + 1)
    unit = 2 * filters * (filters * 9 + 1)
    conv2 = flows * (filters * 9 + 1)
    fusion = 3 * flows * side * side
    external = 10 * (calendar + 1) + flows * side * side * 11
    paper = 3 * (conv1 + units * unit + conv2) + fusion + external
    network = build(st_resnet(filters, units), flows, side, side, calendar)
    assert sum(p.numel() for p in network.parameters()) == paper + flows * (flows + 1)
    out = network(
        torch.rand(2, 9, flows, side, side), torch.rand(2, calendar), torch.zeros(2, 0, side, side)
    )
    assert out.shape == (2, flows, side, side)


def test_st_resnet_ships_in_the_papers_form() -> None:
    ours, again = load_design("st_resnet_plain"), st_resnet(64, 2)
    one, two = (lay_out(design, 2, 32, 32, 11) for design in (ours, again))
    assert sum(p.parameters for p in one) == sum(p.parameters for p in two)
    reach = {
        p.layer.options["lags"][0]: p.layer.options["lags"] for p in one if p.layer.kind == "select"
    }
    assert reach == {1: [1, 2, 3], 7: [7, 14, 21], 28: [28, 56, 84]}


SEQUENCES = """
name = "sequences"
lags = [1, 3, 2, 7]
calendar = ["dow", "doy"]
[[layer]]
name = "block3d"
kind = "conv3d"
inputs = ["history"]
channels = 3
[[layer]]
name = "lstm"
kind = "convlstm"
channels = 5
sequence = true
[[layer]]
name = "gru"
kind = "convgru"
channels = 4
[[layer]]
name = "attention"
kind = "lag_attention"
inputs = ["history"]
channels = 4
[[layer]]
name = "flat"
kind = "flatten"
inputs = ["lstm"]
[[layer]]
name = "chosen"
kind = "select"
inputs = ["history"]
lags = [2, 7]
[[layer]]
name = "own"
kind = "embedding"
channels = 2
[[layer]]
name = "all"
kind = "concat"
inputs = ["gru", "attention", "flat", "chosen", "own"]
[[layer]]
name = "light"
kind = "separable"
channels = 8
norm = "layer"
[[layer]]
name = "weighed"
kind = "squeeze"
[[layer]]
name = "bias"
kind = "cell_bias"
[[layer]]
name = "mixed"
kind = "fuse"
inputs = ["bias", "light"]
[[layer]]
name = "quiet"
kind = "norm"
norm = "instance"
activation = "silu"
[[layer]]
name = "log_rate"
kind = "head"
"""


def test_sequences_and_the_rest_of_the_vocabulary() -> None:
    design = parse_design(SEQUENCES)
    laid = lay_out(design, 2, 9, 8, CALENDAR)
    out, caught, network = run(design, 2, 9, 8)
    assert out.shape == (2, 2, 9, 8)
    for layer in laid:
        assert tuple(caught[layer.layer.name].shape[1:]) == layer.shape, layer.layer.name
        learnt = sum(p.numel() for p in network.blocks[layer.layer.name].parameters())
        assert learnt == layer.parameters, layer.layer.name


def test_the_vocabulary_is_whole() -> None:
    assert set(KINDS) == set(MODULES)


def test_select_takes_the_lags_it_names() -> None:
    design = parse_design(SEQUENCES)
    network = build(design, 1, 4, 4, CALENDAR)
    history = torch.arange(4.0).view(1, 4, 1, 1, 1).expand(1, 4, 1, 4, 4)  # by lag 1, 3, 2, 7
    with capture(network, ["chosen"]) as caught:
        network(history, torch.zeros(1, CALENDAR), torch.zeros(1, 0, 4, 4))
    assert torch.allclose(torch.expm1(caught["chosen"])[0, :, 0, 0], torch.tensor([2.0, 3.0]))


def test_the_convlstm_is_torchs_lstm_where_maps_have_one_cell() -> None:
    design = parse_design(
        """
        name = "lstm"
        lags = [1, 2, 3]
        calendar = []
        [[layer]]
        name = "lstm"
        kind = "convlstm"
        inputs = ["history"]
        channels = 4
        kernel = 1
        [[layer]]
        name = "log_rate"
        kind = "head"
        """
    )
    network = build(design, 2, 1, 1, 0)
    gates = network.blocks["lstm"].gates
    ours = torch.nn.LSTM(2, 4, batch_first=True)
    order = torch.cat([torch.arange(0, 8), torch.arange(12, 16), torch.arange(8, 12)])  # i f g o
    weight = gates.weight[order, :, 0, 0]
    with torch.no_grad():
        ours.weight_ih_l0.copy_(weight[:, :2])
        ours.weight_hh_l0.copy_(weight[:, 2:])
        ours.bias_ih_l0.copy_(gates.bias[order])
        ours.bias_hh_l0.zero_()
        x = torch.rand(3, 3, 2)
        expected = ours(x)[0][:, -1]
        made = network.blocks["lstm"](x[..., None, None])[..., 0, 0]
    assert torch.allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ('kind = "convlstm"', "takes a sequence"),
        ('kind = "conv"\ninputs = ["history"]', "takes maps"),
        ('kind = "select"\ninputs = ["history"]\nlags = [5]', "lags must be some of the design's"),
        ('kind = "squeeze"\nreduction = 99', "leaves none"),
        ('kind = "external"', "names none"),
        ('kind = "cell_bias"\nweight_decay = -1', "weight_decay must lie"),
        ('kind = "conv3d"\ninputs = ["history"]\nsteps = 2', "steps must be odd"),
        ('kind = "concat"\ninputs = ["history", "frames"]', "can't join shapes"),
    ],
)
def test_what_does_not_fit_is_refused(layer: str, text: str) -> None:
    spec = f'name = "x"\nlags = [1, 2]\ncalendar = []\n[[layer]]\nname = "a"\n{layer}\n'
    with pytest.raises(UserError, match=text):
        lay_out(parse_design(spec), 1, 8, 8, 0)


def test_the_classes_of_a_file_are_named_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "raise SystemExit\nclass Part: ...\nclass Net(torch.nn.Module): ...\nclass Other(Module): ...\n"
    )
    assert module_classes(path) == ["Net", "Other", "Part"]
    for text, said in (
        ("x = 1", "no class"),
        ("def (", "no Python in line 1"),
        ("\0", "no Python"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=said):
            module_classes(path)
