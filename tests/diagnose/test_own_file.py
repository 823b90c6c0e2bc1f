"""The line of a user's file that a finding speaks of, and the file as it could be: it runs, and is mended."""

import re

import pytest
import torch

from crimecast.diagnose.finding import Finding
from crimecast.diagnose.own_file import line_of

HEAD = """import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.near = nn.Conv2d(7, 8, 3, padding=1)
        self.parts = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 1))
        self.rate = nn.Conv2d(8, 1, kernel_size=1)

    def forward(self, history, calendar, static):
        x = history.flatten(1, 2)
"""
PLAIN = "        x = torch.relu(self.near(x))\n        return self.rate(self.parts(x))\n"


def found(code: str, layer: str | None, body: str = PLAIN) -> tuple[str, str]:
    """The line that is named, and what stands there in the changed file."""
    source = HEAD + body
    line = line_of(source, Finding(code, layer, "high", {}, ""))
    assert line is not None
    assert line.text == source.splitlines()[line.number - 1].strip()
    added = re.findall(r"^\+(?!\+\+)\s*(.*)$", line.diff, re.MULTILINE)
    removed = re.findall(r"^-(?!--)\s*(.*)$", line.diff, re.MULTILINE)
    if line.diff:
        assert removed == [line.text]
        space: dict[str, object] = {}
        exec(source.replace(removed[0], added[0]), space)
        network = space["Net"]()  # type: ignore[operator]
        out = network(torch.ones(2, 7, 1, 6, 5), torch.ones(2, 11), torch.ones(2, 0, 6, 5))
        assert out.shape == (2, 1, 6, 5)
    return line.text, added[0] if added else ""


CASES = [
    ("dead_units", "near", PLAIN, "x = torch.nn.functional.gelu(self.near(x))"),
    ("dead_units", "near", "        x = F.relu(self.near(x))\n        return self.rate(x)\n", "x = F.gelu(self.near(x))"),
    ("dead_units", "near", "        x = self.near(x)\n        x = x.relu()\n        return self.rate(x)\n", "x = torch.nn.functional.gelu(x)"),
    ("saturated_units", "parts.1", PLAIN, "self.parts = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.GELU(), nn.Conv2d(8, 8, 1))"),
    ("dead_units", "parts.0", PLAIN, "self.parts = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.GELU(), nn.Conv2d(8, 8, 1))"),
    ("border_artifact", "near", PLAIN, 'self.near = nn.Conv2d(7, 8, 3, padding=1, padding_mode="replicate")'),
    ("receptive_field_too_small", "near", PLAIN, "self.near = nn.Conv2d(7, 8, 5, padding=2)"),
    ("wrong_scale", None, PLAIN.replace("return self.rate(self.parts(x))", "return torch.exp(self.rate(x))"), "return self.rate(x)"),
    ("wrong_scale", None, PLAIN.replace("return self.rate(self.parts(x))", "return F.softplus(self.rate(x)).log()"), "return F.softplus(self.rate(x))"),
    ("clamped", None, PLAIN.replace("return self.rate(self.parts(x))", "return self.rate(x).clamp(-4, 1)"), "return self.rate(x)"),
    ("frozen", "near", PLAIN.replace("self.near(x)", "self.near(x).detach()"), "x = torch.relu(self.near(x))"),
    ("misaligned", None, PLAIN.replace("self.near(x)", "self.near(torch.flip(x, [3]))"), "x = torch.relu(self.near(x))"),
    ("not_repeatable", None, PLAIN.replace("self.parts(x)", "F.dropout(x, 0.5, training=True)"), "return self.rate(F.dropout(x, 0.5, training=self.training))"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "layer", "body", "there"), CASES)
def test_the_line_and_its_change(code: str, layer: str | None, body: str, there: str) -> None:
    assert found(code, layer, body)[1] == there


@pytest.mark.parametrize("layer", ["near", "parts.2", "near:1"])
def test_where_no_line_alone_will_do_it_is_named(layer: str) -> None:
    text, changed = found("too_narrow", layer)
    assert changed == ""
    assert text.startswith("self.near" if "near" in layer else "self.parts")


def test_nothing_is_said_where_nothing_tells() -> None:
    assert line_of(HEAD + PLAIN, Finding("leakage", None, "high", {}, "")) is None
    assert line_of("def (", Finding("dead_units", "near", "high", {}, "")) is None
    assert line_of(HEAD + PLAIN, Finding("wrong_scale", None, "high", {}, "")) is None
