"""What of each layer can be measured, and how it went in training: by what a graph is coloured."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from crimecast.inspect.graph import Node, graph
from crimecast.inspect.health import units
from crimecast.inspect.intervention import (
    ablations,
)
from crimecast.inspect.similarity import features, width
from crimecast.inspect.subject import Subject, subject
from crimecast.runs.run import load_run


@lru_cache(maxsize=8)
def nodes(name: str, _stamp: int) -> list[Node]:
    """The layers of a run's network with what they cost."""
    return graph(subject(load_run(name)))


def _nodes_of(one: Subject) -> list[Node]:
    return nodes(one.run.id, one.run.stamp)


@lru_cache(maxsize=32)
def layer_measure(name: str, _stamp: int, measure: str) -> dict[str, float]:
    """Each layer → one of MEASURES, by which the graph can be coloured."""
    return MEASURES[measure](subject(load_run(name)))


NUMBERS = {
    "gradient": "gradient norm",
    "update": "change of the weights a step",
    "zero": "share of exact zeros",
    "full": "share of values at ±1",
    "mean": "mean activation",
    "spread": "spread of activations",
}  # what the loop records of every layer


def layers_at_epoch(history: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """For each epoch of the first fit, a row a layer with all NUMBERS; layers without weights have no norms."""
    made = []
    for entry in history:
        if entry["phase"] == "fit" and entry.get("layers"):
            rows = []
            for name, own in entry["layers"].items():
                moved, size = own.get("update"), own.get("weight")
                step = moved / size if moved is not None and size else None
                row = {"layer": name, "step / weights": step, "weight norm": size}
                rows.append(row | {said: own.get(key) for key, said in NUMBERS.items()})
            made.append(rows)
    return made


def _of_training(
    part: Callable[[dict[str, float]], float | None],
) -> Callable[[Subject], dict[str, float]]:
    """A measure from what the loop recorded of each layer in the last epoch."""

    def measure(one: Subject) -> dict[str, float]:
        history = one.run.history()
        last = history[-1].get("layers", {}) if history else {}
        return {name: value for name, own in last.items() if (value := part(own)) is not None}

    return measure


def _never_changes(one: Subject) -> dict[str, float]:
    return {
        name: float((u.high - u.low < 1e-6 * (np.abs(u.high).max() + 1e-9)).mean())
        for name, u in units(one).items()
    }


MEASURES: dict[str, Callable[[Subject], dict[str, float]]] = {
    "number of weights": lambda one: {n.name: float(n.parameters) for n in _nodes_of(one)},
    "multiply-adds": lambda one: {n.name: float(n.multiply_adds) for n in _nodes_of(one)},
    "time it takes": lambda one: {n.name: n.milliseconds for n in _nodes_of(one)},
    "what the score loses without it": lambda one: {
        a.layer: a.loss for a in ablations(one, probes=8)
    },
    "share of its width that it uses": lambda one: {
        name: width(x).saturation for name, x in features(one, 12).values.items()
    },
    "share of channels that never change": _never_changes,
    "share of values at an activation's ends": lambda one: {
        name: float(u.full.mean()) for name, u in units(one).items()
    },
    "gradient norm in the last epoch": _of_training(lambda own: own.get("gradient")),
    "change of its weights a step, relative": _of_training(
        lambda own: (
            own["update"] / max(own["weight"], 1e-9) if {"update", "weight"} <= own.keys() else None
        )
    ),
}
