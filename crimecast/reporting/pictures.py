"""Maps as PNG pictures inside a page: no file and no address beside it."""

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

from crimecast.plots.colours import colour_table
from crimecast.plots.rasters import Ground, scale_bar

SIDE = 260  # pixels, at least, along the longer side
STRIP = 22  # pixels below the map for its scale bar
GREY = (90, 94, 106, 255)  # of outlines, to be seen on pale and on dark cells


def picture(
    values: np.ndarray, area: np.ndarray, kind: str, low: float, high: float, on: Ground | None = None
) -> str:  # fmt: skip
    """A map (H, W), north at the top, as a data address; cells outside the area are clear.

    `kind` is sequential or diverging; a diverging scale is centred on zero. On a ground it has the city's
    outline and a scale bar, and areas are drawn in their own shapes.
    """
    if on is not None:
        values, area = on.drawn(values), on.drawn(area)
    if kind == "diverging":
        high = max(abs(low), abs(high), 1e-12)
        low = -high
    unit = np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-12), 0.0, 1.0)
    if kind == "sequential":
        unit = np.sqrt(unit)  # few busy cells would leave the rest in one colour
    colours = colour_table(kind, "light")[np.round(255 * unit).astype(int)]
    alpha = np.where(area, 255, 0).astype(np.uint8)[..., None]
    pixels = np.concatenate([colours, alpha], axis=2)[::-1]
    scale = max(1, SIDE // max(values.shape))
    pixels = np.repeat(np.repeat(pixels, scale, axis=0), scale, axis=1)
    image = Image.fromarray(np.ascontiguousarray(pixels), "RGBA")
    return _address(image if on is None else _with_lines(image, on, scale))


def legend(kind: str, low: float, high: float, unit: str) -> str:
    """The colours of a scale with the values at their ends and in their middle, as HTML. All text is ours."""
    bar = np.repeat(colour_table(kind, "light")[None, ::2], 8, axis=0)
    middle = low + (high - low) / (4 if kind == "sequential" else 2)  # a square-root scale, or zero
    ends = "".join(f"<span>{value:.2g}</span>" for value in (low, middle, high))
    image = _address(Image.fromarray(np.ascontiguousarray(bar), "RGB"))
    return f"<div class='legend'><img alt='' src='{image}'><div>{ends}</div>{unit}</div>"


def _with_lines(map_: Image.Image, on: Ground, scale: int) -> Image.Image:
    image = Image.new("RGBA", (map_.width, map_.height + STRIP))
    image.paste(map_)
    draw = ImageDraw.Draw(image)
    for ring in on.outline:
        draw.line([(x * scale, (on.shape[0] - y) * scale) for x, y in ring], GREY, 1)
    metres, words = scale_bar(0.35 * map_.width * on.cell / scale)
    length, y = round(metres / on.cell * scale), map_.height + 6
    draw.line([(2, y), (2, y + 4), (2 + length, y + 4), (2 + length, y)], GREY, 1)
    draw.text((8 + length, y - 3), words, GREY)
    return image


def _address(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
