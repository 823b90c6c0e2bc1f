"""The estimate of what a design takes: in the order of what it really takes, and never above twice."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from crimecast.designs.build import build
from crimecast.designs.cost import cost
from crimecast.designs.shapes import lay_out
from crimecast.designs.spec import Design, load_design, parse_design

CONV = """
name = "a"
[training]
batch = 2
[[layer]]
name = "one"
kind = "conv"
channels = 16
[[layer]]
name = "two"
kind = "conv"
channels = 16
kernel = 5
[[layer]]
name = "out"
kind = "head"
"""
SHAPE = (1, 20, 24, 6)
DESIGNS = [
    parse_design(CONV), *map(load_design, ("stack_plain", "recurrent_plain", "st_resnet_plain")),
]  # fmt: skip


def inputs(design: Design, batch: int) -> tuple[torch.Tensor, ...]:
    types, height, width, calendar = SHAPE
    history = torch.rand(batch, len(design.lags), types, height, width)
    return history, torch.rand(batch, calendar), torch.zeros(batch, 0, height, width)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_operations_are_those_that_pytorch_counts(design: Design) -> None:
    network = build(design, *SHAPE)
    counter = FlopCounterMode(display=False)
    with counter:
        network(*inputs(design, 1)).sum().backward()
    counted = counter.get_total_flops()
    estimated = cost(design, lay_out(design, *SHAPE)).operations
    assert 0.5 * counted < estimated < 2 * counted


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_memory_is_in_the_order_of_what_the_way_back_keeps(design: Design) -> None:
    network, batch = build(design, *SHAPE), design.training.batch
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = network(*inputs(design, batch))
    saved = sum(kept.values()) + 3 * 4 * sum(p.numel() for p in network.parameters())
    estimated = cost(design, lay_out(design, *SHAPE)).memory
    assert 0.3 * saved < estimated < 2 * saved
    assert out.shape[0] == batch


def test_weights_are_the_networks() -> None:
    for design in DESIGNS:
        network = build(design, *SHAPE)
        assert cost(design, lay_out(design, *SHAPE)).weights == sum(
            p.numel() for p in network.parameters()
        )
