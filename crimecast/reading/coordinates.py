"""Columns that say where → two columns of numbers, however they are written; which is which comes after."""

import re

import numpy as np
import polars as pl
import shapely

WKT = r"(?i)POINT\s*(?:Z|M|ZM)?\s*\(\s*([-+\d.eE]+)[\s,]+([-+\d.eE]+)"
PAIR = r"[(\[]?\s*([-+]?\d{1,3}(?:\.\d+)?)°?\s*[,; ]\s*([-+]?\d{1,3}(?:\.\d+)?)°?\s*[)\]]?\s*$"
EAST = r"""(?i)["']?(?:longitude|longitud|lon|lng|long|x)["']?\s*[:=]\s*["']?([-+\d.eE]+)"""
NORTH = r"""(?i)["']?(?:latitude|latitud|lat|y)["']?\s*[:=]\s*["']?([-+\d.eE]+)"""
INSIDE = r"""["']?coordinates["']?\s*:\s*\[\s*["']?([-+\d.eE]+)["']?\s*,\s*["']?([-+\d.eE]+)"""
WKB = re.compile(r"(?:00|01)[0-9a-fA-F]{40,}")
HEMISPHERE = re.compile(r"[NSEWOnsewo]\s*$|^\s*[NSEWOnsewo]|[°º′'\"]")
DEGREES = re.compile(
    r"\s*([NSEWO])?\s*([-+]?\d+(?:[.,]\d+)?)\s*[°ºd:\s]?\s*(?:(\d+(?:[.,]\d+)?)\s*['′’m:\s]?\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:\"|″|''|”|s)?\s*)?([NSEWO])?\s*",
    re.IGNORECASE,
)


def numbers(series: pl.Series) -> np.ndarray:
    """(N,) float64, NaN where there is none: plain, with decimal commas, or as degrees with a hemisphere."""
    if series.dtype != pl.String:
        return series.cast(pl.Float64, strict=False).to_numpy().astype(float)
    value = series.cast(pl.Float64, strict=False)
    if value.null_count() == series.null_count():
        return value.to_numpy().astype(float)
    text = series.str.strip_chars(" \t\xa0'\"")
    value = text.cast(pl.Float64, strict=False)
    left = text.filter(value.is_null() & text.is_not_null() & (text.str.contains(r"\d")))
    if left.is_empty():
        return value.to_numpy().astype(float)
    if left.str.contains(",", literal=True).any():
        # 1,162,147.5 has its commas every three digits, 41,8781 one for the decimals.
        grouped = left.str.contains(r"^[-+]?\d{1,3}(?:,\d{3})+\.\d+$|^[-+]?\d{1,3}(?:,\d{3}){2,}$")
        text = (
            text.str.replace_all(",", "")
            if grouped.any()
            else text.str.replace(r"^([-+]?\d+),(\d+)$", "$1.$2")
        )
        value = text.cast(pl.Float64, strict=False)
        left = text.filter(value.is_null() & text.is_not_null() & text.str.contains(r"\d"))
    if left.str.contains("−", literal=True).any():
        text = text.str.replace("−", "-")
        value = text.cast(pl.Float64, strict=False)
    array = value.to_numpy().astype(float).copy()
    marked = np.flatnonzero(
        value.is_null().to_numpy()
        & text.str.contains(HEMISPHERE.pattern).fill_null(False).to_numpy()
    )
    if marked.size:
        found = {t: _degrees(t) for t in text.gather(marked).unique().to_list()}
        array[marked] = [found[t] for t in text.gather(marked).to_list()]
    return array


def _degrees(text: str) -> float:
    """41°52'41"N, W 87.62, 87.62 W."""
    match = DEGREES.fullmatch(text)
    if not match:
        return float("nan")
    degree, minute, second = (
        float(part.replace(",", ".")) if part else 0.0 for part in match.groups()[1:4]
    )
    if minute >= 60 or second >= 60:
        return float("nan")
    value = abs(degree) + minute / 60 + second / 3600
    side = (match[1] or match[5] or "").upper()
    return -value if degree < 0 or match[2].startswith("-") or side in ("S", "W") else value


def point_form(series: pl.Series) -> str | None:
    """How a column holds whole places: `wkt`, `named`, `inside`, `pair`, `wkb`; None if it doesn't."""
    if series.dtype != pl.String:
        return None
    sample = series.drop_nulls()
    sample = sample.gather_every(max(1, len(sample) // 500)).head(600)
    sample = sample.filter(sample.str.contains(r"\d"))
    if sample.is_empty():
        return None
    shares = {
        "wkt": sample.str.contains(WKT).mean(),
        "named": (sample.str.contains(EAST) & sample.str.contains(NORTH)).mean(),
        "inside": sample.str.contains(INSIDE).mean(),
        "wkb": sample.str.contains(f"^{WKB.pattern}$").mean(),
        "pair": sample.str.contains(PAIR).mean(),
    }
    form, share = max(shares.items(), key=lambda entry: float(entry[1] or 0))  # type: ignore[arg-type]
    return form if float(share or 0) > 0.5 else None  # type: ignore[arg-type]


def points(series: pl.Series, form: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) first and second number of each place; x before y but for `pair`, where it isn't known."""
    if form == "wkb":
        return _binary(series)
    if form == "named":
        parts = [series.str.extract(EAST, 1), series.str.extract(NORTH, 1)]
    else:
        pattern = {"wkt": WKT, "inside": INSIDE, "pair": PAIR}[form]
        parts = [series.str.extract(pattern, 1), series.str.extract(pattern, 2)]
    first, second = (part.cast(pl.Float64, strict=False).to_numpy().astype(float) for part in parts)
    return first, second


def _binary(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    shapes = shapely.from_wkb(series.fill_null("").to_numpy(), on_invalid="ignore")
    point = shapely.get_type_id(shapes) == 0
    return np.where(point, shapely.get_x(shapes), np.nan), np.where(
        point, shapely.get_y(shapes), np.nan
    )
