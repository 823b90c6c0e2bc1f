"""Memories that nothing reads are found; of a network that reads all of them, none is."""

from types import SimpleNamespace
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from crimecast.designs.remembering import Memory
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.diagnose.unread_memories import judge
from tests.diagnose.test_same_memories import fresh


class Reads(nn.Module):
    """The sum of what some memories say of the cells."""

    def __init__(self, memories: Memory, read: list[int]) -> None:
        super().__init__()
        self.memories, self.read = memories, read

    def forward(self, _history: None, _calendar: None, past: Tensor) -> Tensor:
        made: Tensor = self.memories(past)
        return made[:, self.read].sum(dim=1, keepdim=True)


def found(read: list[int]) -> list[Finding]:
    _, layer = fresh()
    drawn = torch.Generator().manual_seed(0)
    past = torch.rand(3, layer.types * sum(layer.rows) + 1, 6, 6, generator=drawn)
    past[:, -1] = 7.0
    batch = SimpleNamespace(history=None, calendar=None, static=past)
    subject = SimpleNamespace(network=Reads(layer, read), probes=lambda count: [0], batch=lambda steps: batch)  # fmt: skip
    return list(judge(cast(Case, SimpleNamespace(subject=subject, mask=torch.ones(6, 6, dtype=torch.bool)))))  # fmt: skip


def test_all_are_read() -> None:
    assert found(list(range(23))) == []


@pytest.mark.parametrize("city", [[], [23]])
def test_those_that_nothing_reads_are_counted(city: list[int]) -> None:
    (finding,) = found([*range(5, 21), *city])  # the first sharp one in its map of the city alone
    assert finding.evidence["unread"] == 7 - len(city)
    assert (finding.layer, finding.severity) == ("memories", "low")
    assert finding.patch == {"layer.memories.count": 6 if city == [] else 7}


def test_a_few_that_nothing_reads_are_no_finding() -> None:
    assert found(list(range(4, 23))) == []
