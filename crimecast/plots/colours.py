"""Colour tables that are perceptually even and safe for colour-blind readers.

Stops are joined in OKLab (Ottosson 2020), in which equal steps look equal; hues run along
blue–yellow and blue–orange, which every common form of colour blindness keeps apart.
"""

import numpy as np

# In light mode few is pale and many is dark; in dark mode few is dark and many is bright.
STOPS = {
    ("sequential", "light"): ["#f7f5ef", "#f3cf8e", "#e58a5c", "#b8446f", "#6a1f78", "#25104d"],
    ("sequential", "dark"): ["#14161f", "#3a2168", "#8a2a74", "#cf4f5f", "#f0964f", "#fbeaa0"],
    ("diverging", "light"): [
        "#08306b",
        "#2f7fbf",
        "#a9cfe6",
        "#f6f5f2",
        "#f2b98a",
        "#d0632a",
        "#6b2503",
    ],
    ("diverging", "dark"): [
        "#a8d8ff",
        "#4a9fe0",
        "#24527d",
        "#14161f",
        "#7d3f1a",
        "#e07a35",
        "#ffd2a8",
    ],
}


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of sRGB in 0…1 → OKLab (N, 3), where equal steps look equal (Ottosson 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lms = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(lms) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


def _to_rgb(oklab: np.ndarray) -> np.ndarray:
    lms = (
        oklab
        @ np.array(
            [
                [1.0, 1.0, 1.0],
                [0.3963377774, -0.1055613458, -0.0894841775],
                [0.2158037573, -0.0638541728, -1.2914855480],
            ]
        )
    ) ** 3
    linear = lms @ np.array(
        [
            [4.0767416621, -1.2684380046, -0.0041960863],
            [-3.3077115913, 2.6097574011, -0.7034186147],
            [0.2309699292, -0.3413193965, 1.7076147010],
        ]
    )
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def colour_table(kind: str, mode: str) -> np.ndarray:
    """(256, 3) uint8 colours; `kind` is sequential or diverging, `mode` light or dark.

    Positions of the stops follow the distance between them in OKLab, so that equal steps of the
    value are equal steps of the colour.
    """
    stops = [[int(stop[i : i + 2], 16) / 255 for i in (1, 3, 5)] for stop in STOPS[kind, mode]]
    lab = to_oklab(np.array(stops))
    lengths = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    if kind == "diverging":  # both arms are equally long, so that zero stays in the middle
        half = len(lengths) // 2
        lengths[:half] /= lengths[:half].sum()
        lengths[half:] /= lengths[half:].sum()
    place = np.concatenate([[0], np.cumsum(lengths)]) / lengths.sum()
    at = np.linspace(0, 1, 256)
    joined = np.stack([np.interp(at, place, lab[:, axis]) for axis in range(3)], axis=1)
    return np.round(_to_rgb(joined) * 255).astype(np.uint8)


def colour_bytes() -> bytes:
    """The four tables one after another: sequential light and dark, diverging light and dark."""
    order = [
        ("sequential", "light"),
        ("sequential", "dark"),
        ("diverging", "light"),
        ("diverging", "dark"),
    ]
    return b"".join(colour_table(kind, mode).tobytes() for kind, mode in order)
