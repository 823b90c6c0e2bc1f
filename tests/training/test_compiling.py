"""A compiled step computes what the plain one does, and where it can't be compiled, the plain one is taken."""

import copy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs import layers
from crimecast.designs.build import Network, build
from crimecast.designs.spec import load_design
from crimecast.grids.cube import load_cube
from crimecast.training import compiling
from crimecast.training.samples import Samples

SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@given(old=SIZES, new=SIZES)
def test_interpolation_as_the_compiler_is_given_it(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    module = layers.Upsample.__new__(layers.Upsample)
    nn.Module.__init__(module)
    module.size = new
    x = torch.rand(2, 3, *old)
    with patch.object(torch.compiler, "is_compiling", lambda: True):
        made = module(x)
    known = functional.interpolate(x, size=new, mode="bilinear", align_corners=False)
    torch.testing.assert_close(made, known)


def wake(network: nn.Module) -> None:
    """Move every weight: a new head is zero, and the layers before it would have no gradient."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)


def gradients(
    network: nn.Module, loss_of_batch: Callable[..., Tensor], batch: object
) -> tuple[Tensor, list[Tensor]]:
    loss = loss_of_batch(batch)
    loss.backward()
    return loss.detach(), [p.grad for p in network.parameters() if p.grad is not None]


@pytest.mark.long
@pytest.mark.parametrize("name", ["stack_plain", "recurrent"])
def test_loss_and_gradients_equal_the_plain_ones(sample: str, name: str) -> None:
    # Every lag is compiled anew: three show what seven do.
    cube, design = load_cube(sample), replace(load_design(name), lags=(1, 2, 3))
    samples = Samples(cube, design, 400)
    plain = build(design, 1, *cube.counts.shape[2:], samples.calendar.shape[1])
    wake(plain)
    fast = copy.deepcopy(plain)
    batch = samples.batch(torch.arange(samples.first, samples.first + 4))
    exact = torch.autocast("cpu", enabled=False)
    with patch.object(compiling, "mixed_precision", lambda *_: exact):
        known = gradients(plain, compiling.plain_loss(plain, samples), batch)
        with patch("builtins.print") as said:
            made = gradients(fast, compiling.compiled_loss(fast, samples), batch)
    # Into a text of its own torch may write, where another test has asked for logs.
    shown = [
        one
        for one in said.call_args_list
        if one.kwargs.get("file") in (None, sys.stdout, sys.stderr)
    ]
    assert shown == []
    torch.testing.assert_close(made[0], known[0], rtol=1e-5, atol=1e-6)
    assert len(made[1]) == len(known[1]) > 5
    for ours, theirs in zip(made[1], known[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


def test_what_cannot_be_compiled_goes_on_without(
    sample: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cube, design = load_cube(sample), load_design("stack_plain")
    samples = Samples(cube, design, 400)
    network = build(design, 1, *cube.counts.shape[2:], samples.calendar.shape[1])
    batch = samples.batch(torch.arange(100, 104))

    def broken(*_: object) -> Tensor:
        raise RuntimeError("no compiler")

    with patch.object(torch, "compile", lambda *_, **__: broken):
        loss_of_batch = compiling.compiled_loss(network, samples)
    plain = compiling.plain_loss(network, samples)
    for _ in range(2):
        assert torch.equal(loss_of_batch(batch), plain(batch))
    assert capsys.readouterr().err == "Goes on without compiling: RuntimeError.\n"


def test_nothing_is_compiled_on_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "compile.json").write_text('{"compile": true}')  # by a version that trained wrongly
    samples = SimpleNamespace(device=torch.device("cuda"), design=load_design("stack"))
    assert not compiling.pays(cast(Network, None), cast(Samples, samples), 2, 10**9, tmp_path)
