"""Ten public architectures, adapted to a cube's shape: what is caught and followed is right for all.

Their code is MONAI's; TorchLens is the other implementation that activations are compared with.
"""

from collections import Counter
from collections.abc import Callable

import pytest
import torch
import torchlens
from monai.networks import nets
from torch import Tensor, nn

from crimecast.designs.build import named_layers
from crimecast.inspect.activations import capture
from crimecast.inspect.receptive import field_on_tape
from crimecast.inspect.tape import record

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


@pytest.mark.parametrize("name", list(ARCHITECTURES))
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


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_its_field_holds_all_that_a_perturbation_finds(name: str) -> None:
    network, inputs = made(name)
    tape = record(network, {}, *inputs)
    target = next(
        i for i in range(len(tape.records) - 1, -1, -1) if tape.records[i].shape == (1, 1, 32, 32)
    )
    for cell in ((0, 0), (17, 14)):
        field = field_on_tape(tape, target, cell)
        seen = torch.zeros(32, 32, dtype=torch.bool)
        for _ in range(6):  # rectifiers are shut for some inputs and open for others
            history = (3 * torch.randn_like(inputs[0])).requires_grad_()
            network(history, *inputs[1:])[0, 0, cell[0], cell[1]].backward()
            assert history.grad is not None
            seen |= history.grad.abs().flatten(0, 2).sum(dim=0) > 0
        rows, columns = (torch.nonzero(seen.any(dim=d)).flatten().tolist() for d in (1, 0))
        if name in ("UNet", "BasicUNet", "DynUNet", "VNet", "MedNeXt"):
            assert (min(rows), max(rows)) == field.rows
            assert (min(columns), max(columns)) == field.columns
        if name == "AttentionUnet":
            continue  # it has instance norms, whose statistics don't count as seeing the map
        assert field.rows[0] <= min(rows)
        assert max(rows) <= field.rows[1]
        assert field.columns[0] <= min(columns)
        assert max(columns) <= field.columns[1]
