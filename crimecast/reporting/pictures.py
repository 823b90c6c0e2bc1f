"""Maps as PNG pictures inside a page: no file and no address beside it."""

import base64
import io

import numpy as np
from PIL import Image

from crimecast.plots.colours import colour_table

SIDE = 260  # pixels, at least, along the longer side


def picture(values: np.ndarray, area: np.ndarray, kind: str, low: float, high: float) -> str:
    """A map (H, W), north at the top, as a data address; cells outside the area are clear.

    `kind` is sequential or diverging; a diverging scale is centred on zero.
    """
    if kind == "diverging":
        high = max(abs(low), abs(high), 1e-12)
        low = -high
    unit = np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-12), 0.0, 1.0)
    if kind == "sequential":
        unit = np.sqrt(unit)  # few busy cells would leave the rest in one colour
    colours = colour_table(kind, "light")[np.round(255 * unit).astype(int)]
    alpha = np.where(area, 255, 0).astype(np.uint8)[..., None]
    image = np.concatenate([colours, alpha], axis=2)[::-1]
    scale = max(1, SIDE // max(values.shape))
    image = np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image), "RGBA").save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
