"""Maps as quantized bytes for the browser's canvas: eight or sixteen bits a value are enough to look at.

One message: the length of the header (4 bytes, little endian), the header (JSON), then the study
area (H·W bytes), four colour tables (3,072 bytes) and, for each step sent, the maps of its panels.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crimecast.plots.colours import colour_bytes

BUDGET = 700_000  # bytes of maps in one message
FIRST = 250_000  # in the first one, which is waited for


@dataclass(frozen=True)
class Panel:
    """One map. Values are coded as round(((v − low)/(high − low))^(1/gamma) · (2^(8·size) − 1)).

    `kind` is sequential or diverging; a panel with `minus` is the difference of two others,
    made in the browser. Panels of one `group` share their colour scale.
    """

    title: str
    kind: str = "sequential"
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    gamma: float = 1.0
    size: int = 1
    minus: tuple[int, int] | None = None
    group: str = ""
    top: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Ground:
    """What maps are drawn on: rows and columns of the picture, metres of its cells, lines in units of
    them. Where the cells of the maps stand for areas, `tiles` (h, w, 2) says which row and column of
    a map each cell of the picture shows, −1 for none."""

    shape: tuple[int, int]
    cell: float
    outline: list[list[list[float]]]
    neighbourhoods: list[list[list[float]]]
    tiles: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Cells of the picture."""
        return self.shape[0] * self.shape[1]

    def drawn(self, values: np.ndarray) -> np.ndarray:
        """(H, W) values of a map → (h, w) of the picture, zero where it shows nothing."""
        if self.tiles is None:
            return values
        found = values[self.tiles[..., 0], self.tiles[..., 1]]
        return np.where(self.tiles[..., 0] >= 0, found, np.zeros((), values.dtype))


def scale_bar(most: float) -> tuple[float, str]:
    """How long a scale bar is, the longest of 1, 2, 5, 10, … that is at most so many metres; and its words."""
    base = 10.0 ** np.floor(np.log10(most))
    metres = next(float(k * base) for k in (5, 2, 1) if k * base <= most)
    return metres, f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


@dataclass(frozen=True)
class Scene:
    """What the maps have in common: where they lie, the steps and their labels; `about` which city and whose
    maps they are, as it stands above a saved picture.

    Maps are (H, W) of the ground's grid.
    """

    identity: str
    ground: Ground
    panels: list[Panel]
    labels: list[str] = field(default_factory=list)
    curve: Sequence[float | None] = field(default_factory=list)
    curve_title: str = ""
    layout: str = "maps"
    alt: str = ""
    about: str = ""
    hint: str = ""
    scale: str = "sqrt"


def key_of(identity: str) -> str:
    """A short name of maps that belong together, by which the browser says what it has."""
    return hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()


def quantize(values: np.ndarray, panel: Panel) -> np.ndarray:
    """Values → codes of a panel, uint8 or uint16; not-a-number is coded as the lowest value."""
    top = (1 << (8 * panel.size)) - 1
    span = max(panel.high - panel.low, 1e-12)
    unit = np.clip(np.nan_to_num((values - panel.low) / span), 0.0, 1.0)
    return np.round(unit ** (1 / panel.gamma) * top).astype(
        np.uint16 if panel.size == 2 else np.uint8
    )


def dequantize(codes: np.ndarray, panel: Panel) -> np.ndarray:
    """Codes of a panel → values, as the browser reads them."""
    top = (1 << (8 * panel.size)) - 1
    return panel.low + (panel.high - panel.low) * (codes / top) ** panel.gamma


def window(step: int, first: int, last: int, bytes_a_step: int) -> range:
    """The steps around `step` to send: as many as fit the budget, two at least each way."""
    reach = max(2, min(40, FIRST // max(1, bytes_a_step) // 2))
    return range(max(first, step - reach), min(last, step + reach + 1))


def missing(
    step: int, first: int, last: int, bytes_a_step: int, there: range, new: bool = False
) -> list[int]:
    """The steps to send where the browser has those of `there` already: `step`, then those next to
    it, ahead on the way it is going; as many as fit the budget, five at least. Of maps that are
    `new` to the browser, which is waited for, three at least."""
    budget, least = (FIRST, 3) if new else (BUDGET, 5)
    count = max(least, min(40, budget // max(1, bytes_a_step)))
    reach = range(max(first, step - 2 * count), min(last, step + 2 * count + 1))
    forward = step not in there or there.stop - 1 - step <= step - there.start
    near = [i for i in reach if i not in there]
    if step in there:  # only what lies ahead: the other side has been seen
        near = [i for i in near if (i > step) == forward]
    return sorted(sorted(near, key=lambda i: abs(i - step))[:count])


def message(
    scene: Scene,
    area: np.ndarray,
    maps: dict[int, list[np.ndarray | None]],
    step: int,
    **state: Any,
) -> bytes:
    """Pack a scene and the maps of some steps. `maps[i]` has one array (H, W) a panel, None for a
    difference. `state` goes into the header as it is (selected cell, chosen channel, …)."""
    body: list[bytes] = []
    for values in maps.values():
        for panel, array in zip(scene.panels, values, strict=True):
            if panel.minus is None and array is not None:
                codes = scene.ground.drawn(quantize(array, panel))
                body.append(codes.astype(codes.dtype.newbyteorder("<")).tobytes())
    content = b"".join(body)
    where = vars(scene.ground)
    tiles = where["tiles"]
    # Which row and column of a map a click means, as pairs of 16 bits.
    tiles = None if tiles is None else b64encode(tiles.astype("<i2").tobytes()).decode()
    header = (
        vars(scene)
        | where
        | {
            "ground": None,
            "tiles": tiles,
            "panels": [vars(panel) for panel in scene.panels],
            "steps": list(maps),
            "key": key_of(scene.identity),
            "step": step,
            "stamp": hashlib.blake2b(content, digest_size=6).hexdigest(),
            **state,
        }
    )
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 4)
    return (
        len(head).to_bytes(4, "little")
        + head
        + scene.ground.drawn(area).astype(np.uint8).tobytes()
        + colour_bytes()
        + content
    )
