"""Memories that training brought together are found; those of a fresh layer, and one pair that met, aren't."""

from types import SimpleNamespace
from typing import cast

import torch

from crimecast.designs.build import Network, build
from crimecast.designs.remembering import Memory
from crimecast.designs.spec import load_design
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.diagnose.same_memories import judge


def found(network: Network) -> list[Finding]:
    return list(judge(cast(Case, SimpleNamespace(subject=SimpleNamespace(network=network)))))


def fresh() -> tuple[Network, Memory]:
    network = build(load_design("memory"), 1, 6, 6, 21)
    assert isinstance(network, Network)
    layer = network.blocks["memories"]
    assert isinstance(layer, Memory)
    return network, layer


def test_memories_of_a_fresh_layer_differ() -> None:
    network, layer = fresh()
    assert found(network) == []
    with torch.no_grad():
        layer.log_half_life[4] = layer.log_half_life[5]
    assert found(network) == []


def test_memories_that_met_are_counted() -> None:
    network, layer = fresh()
    with torch.no_grad():
        layer.log_half_life[:6] = layer.log_half_life[3]  # of the sharp ones
    (finding,) = found(network)
    assert finding.layer == "memories"
    assert finding.evidence == {"memories": 23, "different": 18}
    assert finding.patch == {"layer.memories.count": 7}


def test_the_same_half_life_reaches_farther() -> None:
    network, layer = fresh()
    with torch.no_grad():
        layer.log_half_life[10:16] = layer.log_half_life[13]
        layer.spread[:6] += torch.arange(6) * 0.1  # half a cell each
    assert found(network) == []
