"""Ten public architectures, adapted to a cube's shape: what is caught and followed is right for all.

Their code is MONAI's; TorchLens is the other implementation that activations are compared with.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import torchlens
from captum.attr import IntegratedGradients
from monai.networks import nets
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.build import build, named_layers
from crimecast.designs.inputs import map_count
from crimecast.designs.spec import load_design, to_toml
from crimecast.inspect.activations import capture
from crimecast.inspect.attribution import STEPS, attribute
from crimecast.inspect.intervention import forecast_with
from crimecast.inspect.receptive import field_of_forecast
from crimecast.inspect.subject import Subject, subject
from crimecast.networks.tape import record
from crimecast.runs.run import load_run
from crimecast.training.samples import Samples
from tests.few import few

MAPS = {"spatial_dims": 2, "in_channels": 4, "out_channels": 1}
BATCH = ("batch", {})
FEATURES = (4, 4, 8, 8, 8, 4)
ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "UNet": lambda: nets.UNet(
        **MAPS, channels=(4, 8, 16), strides=(2, 2), num_res_units=1, norm="batch"
    ),
    "BasicUNet": lambda: nets.BasicUNet(**MAPS, features=FEATURES, norm=BATCH),
    "BasicUNetPlusPlus": lambda: nets.BasicUNetPlusPlus(**MAPS, features=FEATURES, norm=BATCH),
    "AttentionUnet": lambda: nets.AttentionUnet(**MAPS, channels=(4, 8, 16), strides=(2, 2)),
    "SegResNet": lambda: nets.SegResNet(**MAPS, init_filters=8, norm=BATCH),
    "SegResNetDS": lambda: nets.SegResNetDS(**MAPS, init_filters=8, norm="batch"),
    "VNet": lambda: nets.VNet(**MAPS),
    "HighResNet": lambda: nets.HighResNet(**MAPS),
    "DynUNet": lambda: nets.DynUNet(
        **MAPS, kernel_size=[3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2],
        norm_name="batch", filters=[4, 8, 8],
    ),
    "MedNeXt": lambda: nets.MedNeXt(**MAPS, init_filters=4),
}  # fmt: skip


class Adapted(nn.Module):
    """Lags and types as channels, and the last answer of a network that gives several."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        made = self.body(history.flatten(1, 2))
        return made[0] if isinstance(made, list | tuple) else made


def made(name: str) -> tuple[Adapted, tuple[Tensor, Tensor, Tensor]]:
    torch.manual_seed(0)
    network = Adapted(ARCHITECTURES[name]()).eval()
    return network, (torch.rand(1, 2, 2, 32, 32), torch.rand(1, 3), torch.rand(1, 0, 32, 32))


@pytest.mark.parametrize("name", few(ARCHITECTURES, 2))
def test_catching_changes_nothing_and_torchlens_catches_the_same(name: str) -> None:
    network, inputs = made(name)
    with torch.no_grad():
        plain = network(*inputs)
        with capture(network, list(named_layers(network))) as caught:
            assert torch.equal(network(*inputs), plain)
        theirs = torchlens.trace(network, inputs)
    assert not any(module._forward_hooks for module in network.modules())
    compared, outputs = (
        0,
        Counter(a for n in theirs.layer_labels for a in theirs[n].output_of_modules),
    )
    leaves = {n for n, m in named_layers(network).items() if not any(True for _ in m.children())}
    for label in theirs.layer_labels:
        one = theirs[label]
        if one.num_passes != 1 or not one.has_saved_activation:
            continue
        for address in one.output_of_modules:
            # A module that is called twice has two outputs, and the last is caught.
            if (
                address in leaves
                and outputs[address] == 1
                and caught[address].shape == one.out.shape
            ):
                assert torch.equal(caught[address], one.out), address
                compared += 1
    assert compared > 1 or name == "DynUNet"  # it names every module twice


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize("name", few(ARCHITECTURES, 2))
def test_its_field_is_what_a_perturbation_finds(name: str, statistics: bool) -> None:
    network, inputs = made(name)
    if not statistics:  # by convention a norm's don't count as seeing
        for module in network.modules():
            for child, part in module.named_children():
                if isinstance(part, nn.InstanceNorm2d | nn.GroupNorm):
                    setattr(module, child, nn.Identity())
    tape = record(network, {}, dict(zip(("history", "calendar", "static"), inputs, strict=True)))
    network.double()  # the faintest influence counts
    rest = [x.double() for x in inputs[1:]]
    for cell in ((0, 0), (17, 14)):
        field = field_of_forecast(tape, cell, statistics)
        seen = torch.zeros(32, 32, dtype=torch.bool)
        for _ in range(12):  # rectifiers are shut for some inputs and open for others
            history = (3 * torch.randn(inputs[0].shape, dtype=torch.float64)).requires_grad_()
            network(history, *rest)[0, 0, cell[0], cell[1]].backward()
            assert history.grad is not None
            seen |= history.grad.abs().flatten(0, 2).sum(dim=0) > 0
        rows, columns = (torch.nonzero(seen.any(dim=d)).flatten().tolist() for d in (1, 0))
        assert (min(rows), max(rows)) == field.rows
        assert (min(columns), max(columns)) == field.columns
        assert field.unproven == ()


class OnCity(nn.Module):
    """An architecture on the sample city: its map padded to 32×32, and cut out again."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        height, width = history.shape[-2:]
        seen = torch.cat([history.flatten(1, 2)[:, :3], static[:, :1]], dim=1)
        made = self.body(functional.pad(seen, (0, 32 - width, 0, 32 - height)))
        made = made[0] if isinstance(made, list | tuple) else made
        return made[..., :height, :width]


@cache
def of_city(name: str) -> Subject:
    """An architecture, or a design that ships with random weights, as a run's network."""
    torch.manual_seed(0)
    known = subject(load_run("stack-1"))
    if name in ARCHITECTURES:
        return replace(known, network=OnCity(ARCHITECTURES[name]()).eval())
    design, cube = load_design(name), known.cube
    samples = Samples(cube, design, known.run.settings.train)
    numbers = samples.calendar.shape[1]
    network = build(design, 1, *cube.counts.shape[2:], numbers, map_count(design, 1)).eval()
    for weight in network.parameters():  # a head begins at zero and would see nothing
        nn.init.normal_(weight, std=0.1)
    run = replace(known.run, spec=to_toml(design))
    return Subject(run, cube, network, samples)


EVERYTHING = [*ARCHITECTURES, "stack", "recurrent", "st_resnet"]
STEP = 650


@pytest.mark.parametrize("name", few(EVERYTHING, 2))
def test_attributions_are_captums(sample: str, name: str) -> None:
    one = of_city(name)
    batch = one.batch([STEP])
    with torch.no_grad():  # where a rectifier at the end is open
        said = one.network(batch.history, batch.calendar, batch.static)[0, 0]
    cell = divmod(int(said.argmax()), said.shape[1])

    def forward(history: Tensor, static: Tensor) -> Tensor:
        calendar = batch.calendar.expand(len(history), -1)
        return one.network(history, calendar, static)[:, 0, cell[0], cell[1]]

    theirs = IntegratedGradients(forward).attribute((batch.history, batch.static), n_steps=STEPS)
    ours = attribute(one, STEP, cell)
    for mine, other in ((ours.history, theirs[0]), (ours.static, theirs[1])):
        other = other[0].flatten(0, -3).detach().numpy()
        assert np.allclose(mine, other, rtol=1e-3, atol=1e-5 + 1e-4 * np.abs(other).max())
    assert np.abs(ours.history).max() > 0


@pytest.mark.parametrize("name", few(EVERYTHING, 2))
def test_a_channel_off_equals_its_weights_at_zero(sample: str, name: str) -> None:
    one = of_city(name)
    layer, conv = next(
        (layer, conv)
        for layer, module in list(one.layers.items())[1:]
        if (conv := plain_convolution(module)) is not None
    )
    off = forecast_with(one, STEP, layer, [0], "zero")
    whole = forecast_with(one, STEP, layer, [], "zero")
    kept = {k: v.clone() for k, v in conv.state_dict().items()}
    with torch.no_grad():
        conv.weight[0] = 0.0
        if conv.bias is not None:
            conv.bias[0] = 0.0
        zeroed = torch.exp(one.log_rate(one.batch([STEP])))[0].numpy()
    conv.load_state_dict(kept)
    assert np.allclose(off, zeroed, rtol=1e-5)
    assert not np.array_equal(off, whole)


def plain_convolution(module: nn.Module) -> nn.Conv2d | None:
    """The convolution that alone makes a layer's channels, if there is one."""
    if isinstance(module, nn.Conv2d):
        return module
    conv = getattr(module, "conv", None)
    norm = getattr(module, "norm", None)
    return conv if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.Identity | None) else None
