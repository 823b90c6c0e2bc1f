"""Where a city's places lie: its bounds, and what is a placeholder far from them."""

import numpy as np
import polars as pl

from crimecast.reading.parts import Parts
from crimecast.reading.thinning import finite, thinned

Box = tuple[float, float, float, float]
FAR = 4.0  # spreads of the middle half of the places: what lies farther is no part of the city
NEAR = 0.15  # degrees: and what is nearer always is


def city_box(places: Parts[np.ndarray]) -> tuple[Box | None, int]:
    """The box (degrees) in which the city lies, None without any place; and how many rows have one.

    It holds the middle half of all distinct places, four times as wide again on each side.
    """
    (a, b), size = thinned(places, 200_000)
    if not size:
        return None, 0
    box = _box(a, b)
    far_places = ~inside(np.stack([a, b]), box)
    if (
        far_places.mean() > 0.05 and far_places.sum() > 50
    ):  # they are many and all different: a part of the city
        box = (float(a.min()), float(b.min()), float(a.max()), float(b.max()))
    return box, size


def shared(far: Parts[np.ndarray], total: int) -> pl.DataFrame:
    """Places (`a`, `b`), to a hundredth of a degree, that many of the rows far away have: they stand for
    *no place*. `far` (2, N) is NaN in the others of `total` rows."""
    found = pl.DataFrame(schema={"a": pl.Float64, "b": pl.Float64, "rows": pl.Int64})
    for part in far:
        some = finite(part)
        if some.size:
            own = _rounded(some).group_by("a", "b").agg(pl.len().cast(pl.Int64).alias("rows"))
            found = pl.concat([found, own]).group_by("a", "b").agg(pl.col("rows").sum())
    return found.filter(pl.col("rows") >= max(3, 0.0005 * total)).select("a", "b")


def _rounded(part: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"a": np.round(part[0], 2), "b": np.round(part[1], 2)})


def among(part: np.ndarray, places: pl.DataFrame) -> np.ndarray:
    """(N,) bool: rows whose place, to a hundredth of a degree, is one of `places`."""
    if places.is_empty():
        return np.zeros(part.shape[1], dtype=bool)
    marked = places.with_columns(pl.lit(True).alias("there"))
    joined = _rounded(part).join(marked, on=["a", "b"], how="left", maintain_order="left")
    return joined["there"].fill_null(False).to_numpy()


def placeholders(places: Parts[np.ndarray]) -> tuple[Parts[np.ndarray], Box | None]:
    """(N,) bool: values that stand for *no place*, and the box (degrees) in which the city lies.

    Far from the box, a value that many rows share is a placeholder; a single one is a mistake and no more.
    """
    box, size = city_box(places)
    if box is None:
        return places.map(lambda part: np.zeros(part.shape[1], dtype=bool)), None
    far = places.map(lambda part: np.where(inside(part, box), np.nan, part))
    null = shared(far, size)
    return far.map(lambda part: among(part, null)), box


def _box(a: np.ndarray, b: np.ndarray) -> Box:
    sides = []
    for values in (a, b):
        low, high = np.quantile(values, [0.25, 0.75])
        slack = max(FAR * (high - low), NEAR)
        sides.append((float(low - slack), float(high + slack)))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def inside(part: np.ndarray, box: Box) -> np.ndarray:
    """(N,) bool: which places (2, N) lie in the box."""
    with np.errstate(invalid="ignore"):
        return (part[0] >= box[0]) & (part[0] <= box[2]) & (part[1] >= box[1]) & (part[1] <= box[3])
