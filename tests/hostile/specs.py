"""Specs: TOML with anything in any field, and text that is hardly TOML."""

import copy
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import tomli_w

from tests.hostile.case import Case, Store
from tests.hostile.values import mutated, text

SHIPPED = Path(__file__).resolve().parents[2] / "crimecast" / "designs"
ODD = [0, -1, 1, 2, 7, 10**6, 10**9, 10**12, 2**63 - 1, -(2**63), 0.0, -0.5, 1e308, float("nan"), float("inf"), True, False, "", "a", [], [[]], {}, {"search": [1, 2]}, {"search": []}, {"low": 1, "high": 2}]  # fmt: skip


def make(random: Random, folder: Path, store: Store) -> Case:
    """A spec in a file, to be trained or searched over."""
    source = random.choice([p for p in sorted(SHIPPED.glob("*.toml"))])
    how = random.random()
    if how < 0.25:
        content = mutated(random, source.read_bytes())
    elif how < 0.35:
        content = random.choice([b"", b"\0", b"x = " + b"9" * 5000, b"x = " + b"[" * 1000 + b"]" * 1000, b"\xff\xfe", b"a.b.c.d=1\n" * 2, b"[[layer]]\n" * 3000, b"name = 'a'\n" * 2, b"#" * 2_000_000, b"a" + b".a" * 2000 + b" = 1"])  # fmt: skip
    else:
        document = tomllib.loads(source.read_text())
        for _ in range(random.choice([1, 1, 2, 5])):
            _spoil(random, document)
        try:
            content = tomli_w.dumps(document).encode("utf-8", "surrogatepass")
        except (TypeError, ValueError):
            content = b"name = 3"
    path = folder / random.choice(["a.toml", "a.toml", "a b.toml", "[a].toml", "a.TOML"])
    path.write_bytes(content)
    if random.random() < 0.75:
        return Case("spec: train", ["train", store.grid, "--design", str(path)])
    return Case("spec: search", ["search", store.grid, "--design", str(path), "--trials", "2"])


def _value(random: Random) -> Any:
    made = copy.deepcopy(random.choice(ODD))
    if random.random() < 0.2:
        made = random.choice(
            [text(random), [random.choice(ODD)], {text(random)[:20]: random.choice(ODD)}]
        )
    return made


def _spoil(random: Random, document: dict[str, Any]) -> None:
    """Change a field somewhere in it."""
    place: Any = document
    layers = document.get("layer")
    if isinstance(layers, list) and layers and random.random() < 0.6:
        place = random.choice(layers)
        if random.random() < 0.15:
            layers[random.randrange(len(layers))] = random.choice([{}, {"name": "x"}, *layers])
        if random.random() < 0.1:
            layers.extend(layers[:3] * random.choice([1, 400]))
    elif isinstance(document.get("training"), dict) and random.random() < 0.4:
        place = document["training"]
    if not isinstance(place, dict) or not place:
        return
    key = random.choice([*place, text(random)[:20]])
    if random.random() < 0.1:
        place.pop(key, None)
    else:
        place[key] = _value(random)
