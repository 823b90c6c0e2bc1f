"""What a user's module must keep to: every way to break it is one sentence, and harms nobody else."""

from pathlib import Path

import pytest
import torch

from crimecast.designs.build import build
from crimecast.designs.spec import Design, load_design
from crimecast.errors import UserError
from crimecast.runs.run import load_run
from crimecast.training import contract
from crimecast.training.samples import Batch
from tests.few import few
from tests.runs.here import train

TYPES, HEIGHT, WIDTH = 2, 12, 10
CONV = "self.c = nn.Conv2d(14, 2, 3, padding=1)"


def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(
        torch.poisson(torch.ones(3, 7, TYPES, HEIGHT, WIDTH)), torch.rand(3, 11),
        torch.rand(3, 0, HEIGHT, WIDTH), torch.zeros(3, TYPES, HEIGHT, WIDTH),
        torch.poisson(torch.ones(3, TYPES, HEIGHT, WIDTH)),
    )  # fmt: skip


def written(folder: Path, forward: str, made: str = CONV) -> Design:
    """A module whose forward ends in line 10 or later."""
    text = (
        "import os, sys, time\nimport torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n"
        f"        super().__init__()\n        {made}\n    def forward(self, h, c, s):\n"
        f"        x = torch.log1p(h).flatten(1, 2)\n        {forward}\n"
    )
    path = folder / "mine.py"
    path.write_text(text)
    return Design("net", module=f"{path}:Net")


def checked(design: Design) -> contract.Kept:
    assert design.module is not None
    network = build(design, TYPES, HEIGHT, WIDTH, 11)
    mask = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    return contract.check(network, batch(), mask, design.module)


BROKEN = {
    "no type": ("return self.c(x)[:, 0]", "(3, 12, 10) in line 10 (`return self.c(x)[:, 0]`), where the log rate (3, 2, 12, 10)"),
    "one type": ("return self.c(x)[:, :1]", "returned (3, 1, 12, 10) in line 10"),
    "a tuple": ("return self.c(x), x", "returned a tuple in line 10"),
    "a dictionary": ("return {'rate': self.c(x)}", "returned a dict in line 10"),
    "nothing": ("self.c(x)", "returned nothing"),
    "no number": ("return self.c(x).log()", "no finite numbers"),
    "complex": ("return torch.fft.fft2(self.c(x))", "of type complex64"),
    "whole numbers": ("return self.c(x).long()", "of type int64"),
    "clash": ("return self.c(x[:, :5])", "can't be run in line 10 (`return self.c(x[:, :5])`): RuntimeError"),
    "squeezed": ("return self.c(x).squeeze(0)", "where the log rate (1, 2, 12, 10) is asked for"),
    "counts calls": ("self.n = getattr(self, 'n', 0) + 1; return self.c(x) + self.n", "doesn't repeat itself"),
    "mixes": ("y = self.c(x); return y - y.mean(0, keepdim=True)", "mixes the samples of a batch"),
    "detached": ("return self.c(x).detach()", "No gradient reaches the weights"),
    "changes its input": ("h.add_(1); return self.c(x)", "changes its input `history` in place"),
    "shut": ("return self.c(x) * 0", "is zero for every weight"),
    "infinite slope": ("return (self.c(x) * 0).clamp(min=0).sqrt()", "gradient of Net is no finite number"),
}  # fmt: skip


@pytest.mark.parametrize("how", list(BROKEN))
def test_a_broken_contract_is_one_sentence(how: str, tmp_path: Path) -> None:
    forward, said = BROKEN[how]
    with pytest.raises(UserError) as error:
        checked(written(tmp_path, forward))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(("Net", "No gradient", "The gradient", "The loss"))


def test_what_cannot_be_made_says_where(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can't be made \(line 7\): AttributeError"):
        checked(written(tmp_path, "return x", "self.c = nn.Conv2d(14, self.wide, 3)"))
    with pytest.raises(UserError, match="no weights to learn"):
        checked(written(tmp_path, "return x[:, :2]", "pass"))
    with pytest.raises(UserError, match="none of them asks for a gradient"):
        checked(written(tmp_path, "return self.c(x)", CONV + "; self.requires_grad_(False)"))


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        ("return nn.functional.softplus(self.c(x))", "ends in a softplus"),
        ("return self.c(x).exp().clone()", "ends in an exponential"),
        ("return nn.functional.dropout(self.c(x))", "draws random numbers"),
        ("return torch.relu(self.c(x)) + 0.001", "gave nothing below zero"),
        ("return torch.log1p(self.c(x).exp())", "gave nothing below zero"),
        ("return self.c(x)", ""),
        ("return self.c(x.exp().clamp(max=9.0))", ""),
    ],
)
def test_a_rate_in_the_logarithms_place_is_pointed_out(
    forward: str, said: str, tmp_path: Path
) -> None:
    warnings = checked(written(tmp_path, forward)).warnings
    assert len(warnings) == bool(said)
    assert all(said in text for text in warnings)


HARMFUL = {
    "ends": ("os._exit(3)", CONV, "ended its process by itself (exit code 3) while it was run"),
    "leaves": ("return self.c(x)", "sys.exit(3)", "ends the process"),
    "copies itself": ("return self.c(x)", CONV + "; os.fork()", "starts other processes"),
    "floods": ("while True: print('x' * 1000)", CONV, "prints more than 1 MB"),
    "never ends": ("return self.c(x)", "\n        while True: pass", "took longer than"),
    "sleeps": ("time.sleep(10_000)", CONV, "took longer than"),
}


@pytest.mark.parametrize("how", few(HARMFUL))
def test_a_harmful_module_harms_only_itself(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "BUSY", 3.0)
    monkeypatch.setattr(contract, "LONG", 6.0)
    forward, made, said = HARMFUL[how]
    design = written(tmp_path, forward, made)
    mask = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    with pytest.raises(UserError) as error:
        contract.tried(design, batch(), mask, 0, "cpu", tmp_path)
    assert said in str(error.value)


@pytest.mark.long
def test_what_kept_to_it_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = written(tmp_path, "return self.c(x).exp()")
    mask = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    first = contract.tried(design, batch(), mask, 0, "cpu", tmp_path)
    assert len(first.warnings) == 1
    monkeypatch.setattr(contract, "_elsewhere", lambda *_: pytest.fail("it was tried again"))
    assert contract.tried(design, batch(), mask, 0, "cpu", tmp_path) == first


@pytest.mark.long
def test_a_run_of_complex_weights_trains_and_one_that_breaks_it_fails(
    sample: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "import torch\nfrom torch import nn\nclass Turn(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.randn(7, 1, 4, 4, dtype=torch.cfloat))\n        self.c = nn.Conv2d(7, 1, 1)\n"
        "    def forward(self, h, c, s):\n        x = torch.log1p(h).flatten(1, 2)\n        f = torch.fft.rfft2(x)\n"
        "        g = torch.zeros(len(x), 1, *f.shape[2:], dtype=f.dtype)\n"
        "        g[:, :, :4, :4] = torch.einsum('bixy,ioxy->boxy', f[:, :, :4, :4], self.w)\n"
        "        return nn.functional.softplus(torch.fft.irfft2(g, s=x.shape[-2:]) + self.c(x))\n"
        "class Flat(Turn):\n    def forward(self, h, c, s):\n        return super().forward(h, c, s)[:, 0]\n"
    )
    run = train(load_design(f"{path}:Turn"), sample, epochs=1)
    assert run.state == "done", run.message
    assert len(load_run(run.id).summary["warnings"]) == 1
    assert (run.folder / "network.safetensors").exists()
    run = train(load_design(f"{path}:Flat"), sample, epochs=1)
    assert run.state == "failed"
    assert "Flat returned (3, 22, 23) in line 16" in run.message
