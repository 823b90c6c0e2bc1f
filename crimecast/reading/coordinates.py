"""Columns that say where → two columns of numbers, however they are written; which is which comes after."""

import re

import numpy as np
import polars as pl
import shapely

from crimecast.reading.parts import Column, Parts, spread

WKT = r"(?i)POINT\s*(?:Z|M|ZM)?\s*\(\s*([-+\d.eE]+)[\s,]+([-+\d.eE]+)"
PAIR = r"^(?:[^()]*\()?\s*[(\[]?\s*([-+]?\d{1,3}(?:\.\d+)?)°?\s*[,;/| ]\s*([-+]?\d{1,3}(?:\.\d+)?)°?\s*[)\]]?\s*$"
# The same with decimal commas, and in an address of a map: geo:52.5,13.4, ?q=52.5,13.4, @52.5,13.4.
PAIRS = (
    PAIR,
    r"^\s*[(\[]?\s*([-+]?\d{1,3},\d+)\s*(?:[;/|]|,\s|\s)\s*([-+]?\d{1,3},\d+)\s*[)\]]?\s*$",
    r"(?i)(?:geo:|[?&](?:q|ll|query|center)=|[@/=])(-?\d{1,2}\.\d{3,})(?:,|%2C)(-?\d{1,3}\.\d{3,})",
)
DECIMAL = r"^\s*[-+]?\d+,\d+\s*$"  # one number with a decimal comma
EAST = r"""(?i)["']?(?:longitude|longitud|lon|lng|long|x)["']?\s*[:=]\s*["']?([-+\d.eE]+)"""
NORTH = r"""(?i)["']?(?:latitude|latitud|lat|y)["']?\s*[:=]\s*["']?([-+\d.eE]+)"""
INSIDE = r"""["']?coordinates["']?\s*:\s*\[\s*["']?([-+\d.eE]+)["']?\s*,\s*["']?([-+\d.eE]+)"""
GROUPED = r"^[-+]?\d{1,3}(?:,\d{3})+\.\d+$|^[-+]?\d{1,3}(?:,\d{3}){2,}$"
WKB = re.compile(r"(?:00|01)[0-9a-fA-F]{40,}")
HEMISPHERE = re.compile(
    r"[NSEWOnsewo]\s*$|^\s*[NSEWOnsewo]|[°º′'\"]|^[-+]?\d{1,3}[\s:]\d{1,2}[\s:]\d{1,2}(?:[.,]\d+)?$"
)
# Signs that other keyboards have for those of numbers.
FOREIGN = {
    "−": "-", "·": ".", "٫": ".", **{sign: str(number) for digits in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９") for number, sign in enumerate(digits)},
}  # fmt: skip
MINUS = (
    r"^(?:\((\d+(?:\.\d+)?)\)|(\d+(?:\.\d+)?)-)$"  # (58.49) and 58.49-, as bookkeepers write -58.49
)
DOTTED = r"^[-+]?\d{1,3}(?:\.\d{3}){2,}$"  # -46.617.431, with which a spreadsheet groups what lost its decimal point
DEGREES = re.compile(
    r"\s*([NSEWO])?\s*([-+]?\d+(?:[.,]\d+)?)\s*[°ºd:\s]?\s*(?:(\d+(?:[.,]\d+)?)\s*['′’m:\s]?\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:\"|″|''|”|s(?=\s*[NSEWO]))?\s*)?([NSEWO])?\s*",
    re.IGNORECASE,
)
SECONDS = 25  # different ones from which on it is told that two decimals are seconds


def numbers(column: Column) -> Parts[np.ndarray]:
    """(N,) float64, NaN where there is none: plain, with decimal commas, or as degrees with a hemisphere."""
    if column.first.dtype != pl.String:
        return column.map(lambda part: _array(part.cast(pl.Float64, strict=False)))
    grouped = False  # 1,162,147.5 has its commas every three digits, 41,8781 one for the decimals
    read = column.map(_plainly)
    for text, value in read:
        if text is not None:
            left = _unread(text, value)
            grouped = grouped or bool(left.str.contains(GROUPED).any())
    return read.map(lambda both: _numbers(*both, grouped))


def _plainly(series: pl.Series) -> tuple[pl.Series | None, pl.Series]:
    """Texts, None if all of them are plain numbers, and what is read of them as such."""
    value = series.cast(pl.Float64, strict=False)
    if value.null_count() == series.null_count():
        return None, value
    text = series.str.strip_chars(" \t\xa0'\"")
    return text, text.cast(pl.Float64, strict=False)


def _unread(text: pl.Series, value: pl.Series) -> pl.Series:
    return text.filter(value.is_null() & text.is_not_null() & text.str.contains(r"\d"))


def _array(value: pl.Series) -> np.ndarray:
    return value.to_numpy().astype(float)


def _numbers(text: pl.Series | None, value: pl.Series, grouped: bool) -> np.ndarray:
    if text is None:
        return _array(value)
    left = _unread(text, value)
    if left.is_empty():
        return _array(value)
    if left.str.contains(",", literal=True).any():
        text = (
            text.str.replace_all(",", "")
            if grouped
            else text.str.replace(r"^([-+]?\d+),(\d+)$", "$1.$2")
        )
        value = text.cast(pl.Float64, strict=False)
        left = _unread(text, value)
    if left.str.contains_any(list(FOREIGN)).any():
        text = text.str.replace_many(FOREIGN)
        value = text.cast(pl.Float64, strict=False)
        left = _unread(text, value)
    if left.str.contains(DOTTED).any():
        text = pl.select(
            pl.when(pl.lit(text).str.contains(DOTTED))
            .then(pl.lit(text).str.replace_all(".", "", literal=True))
            .otherwise(pl.lit(text))
        ).to_series()
        value = text.cast(pl.Float64, strict=False)
    if _unread(text, value).str.contains(MINUS).any():
        text = text.str.replace(MINUS, "-${1}${2}")
        value = text.cast(pl.Float64, strict=False)
    array = _array(value).copy()
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


def point_form(column: Column) -> str | None:
    """How a column holds whole places: `wkt`, `named`, `inside`, `pair`, `wkb`; None if it doesn't."""
    if column.first.dtype != pl.String:
        return None
    sample = spread(column, 500, 600)
    sample = sample.filter(sample.str.contains(r"\d"))
    if sample.is_empty():
        return None
    shares = {
        "wkt": sample.str.contains(WKT).mean(),
        "named": (sample.str.contains(EAST) & sample.str.contains(NORTH)).mean(),
        "inside": sample.str.contains(INSIDE).mean(),
        "wkb": sample.str.contains(f"^{WKB.pattern}$").mean(),
        "pair": max(
            float((sample.str.contains(form) & ~sample.str.contains(DECIMAL)).mean() or 0)  # type: ignore[arg-type]
            for form in PAIRS
        ),
    }
    form, share = max(shares.items(), key=lambda entry: float(entry[1] or 0))  # type: ignore[arg-type]
    return form if float(share or 0) > 0.5 else None  # type: ignore[arg-type]


def said_crs(texts: pl.Series) -> str | None:
    """The coordinate system that points in a database's form say themselves (SRID=25830;POINT(…), or in their
    bytes); None if they say none, several, or degrees."""
    little, big = texts.str.extract(r"^01..000020([0-9a-fA-F]{8})"), texts.str.extract(r"^00200000..([0-9a-fA-F]{8})")  # fmt: skip
    codes = {int(text) for text in texts.str.extract(r"(?i)^SRID=(\d{1,6});").drop_nulls()}
    codes |= {int.from_bytes(bytes.fromhex(text), "little") for text in little.drop_nulls()}
    codes |= {int(text, 16) for text in big.drop_nulls()}
    return f"EPSG:{codes.pop()}" if len(codes) == 1 and codes.isdisjoint({0, 4326}) else None


def points(series: pl.Series, form: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) first and second number of each place; x before y but for `pair`, where it isn't known."""
    if form == "wkb":
        return _binary(series)
    if form == "named":
        parts = [series.str.extract(EAST, 1), series.str.extract(NORTH, 1)]
    else:
        patterns = {"wkt": (WKT,), "inside": (INSIDE,), "pair": PAIRS}[form]
        parts = [
            pl.select(pl.coalesce(series.str.extract(one, place) for one in patterns)).to_series().str.replace(",", ".")
            for place in (1, 2)
        ]  # fmt: skip
    first, second = (part.cast(pl.Float64, strict=False).to_numpy().astype(float) for part in parts)
    return first, second


def _binary(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    shapes = shapely.from_wkb(series.fill_null("").to_numpy(), on_invalid="ignore")
    point = shapely.get_type_id(shapes) == 0
    return np.where(point, shapely.get_x(shapes), np.nan), np.where(
        point, shapely.get_y(shapes), np.nan
    )


def sexagesimal(values: np.ndarray) -> bool:
    """Whether numbers of four decimals are degrees, minutes and seconds: no two digits are beyond 59, or 60 where
    seconds were rounded. Of degrees in decimals that is so by chance in 0.6^n."""
    digits = np.round(np.abs(values) % 1 * 10_000)
    written = bool((np.abs(np.abs(values) % 1 * 10_000 - digits) < 1e-4).all())
    minutes, seconds = digits // 100, digits % 100
    varied = len(np.unique(seconds)) >= SECONDS
    return written and varied and bool((minutes < 60).all() and (seconds <= 60).all())


def from_sexagesimal(values: np.ndarray) -> np.ndarray:
    """Degrees whose decimals are minutes and seconds → degrees."""
    digits = np.round(np.abs(values) % 1 * 10_000)
    parts = np.floor(np.abs(values) + 1e-9) + digits // 100 / 60 + digits % 100 / 3600
    return np.sign(values) * np.where(digits == 10_000, np.round(np.abs(values)), parts)


def packed(values: np.ndarray) -> bool:
    """Whether numbers are degrees and minutes in one, 4109.620 for 41° 9.62', as receivers of satellites write
    them: the two digits before the point are never 60 or more, which by chance is so in 0.6^n."""
    minutes = np.abs(values) % 100
    varied = len(np.unique(np.floor(minutes))) >= SECONDS or len(np.unique(minutes)) >= 2 * SECONDS
    return varied and bool((np.abs(values) < 18_000).all() and (minutes < 60).all())


def packed_in_full(values: np.ndarray) -> bool:
    """Whether numbers are degrees, minutes and seconds in one, 491609.12 for 49° 16' 9.12": neither pair of digits
    before the point is ever 60 or more, which by chance is so in 0.36^n."""
    size = np.abs(values)
    minutes, seconds = size // 100 % 100, size % 100
    varied = len(np.unique(np.floor(seconds))) >= SECONDS
    written = bool((size >= 10_000).all() and (size < 1_800_000).all())
    return varied and written and bool((minutes < 60).all() and (seconds < 60).all())


def from_packed_in_full(values: np.ndarray) -> np.ndarray:
    """Degrees, minutes and seconds in one number → degrees."""
    size = np.abs(values)
    return np.sign(values) * (size // 1e4 + size // 100 % 100 / 60 + size % 100 / 3600)


def packed_seconds(values: np.ndarray) -> bool:
    """Whether whole numbers are degrees, minutes and thousandths of seconds in one, 353859226 for 35° 38' 59.226",
    as Japan's police writes them: neither pair of digits is ever 60 or more."""
    size = np.abs(values)
    minutes, seconds = size // 1e5 % 100, size // 1e3 % 100
    varied = len(np.unique(seconds)) >= SECONDS
    whole = (size % 1 == 0).all() and (size >= 1e6).all() and (size < 1.8e9).all()
    return bool(varied and whole and (minutes < 60).all() and (seconds < 60).all())


def from_packed_seconds(values: np.ndarray) -> np.ndarray:
    """Degrees, minutes and thousandths of seconds in one number → degrees."""
    size = np.abs(values)
    return np.sign(values) * (size // 1e7 + size // 1e5 % 100 / 60 + size % 1e5 / 3.6e6)


def from_packed(values: np.ndarray) -> np.ndarray:
    """Degrees and minutes in one number → degrees."""
    size = np.abs(values)
    return np.sign(values) * (np.floor(size / 100) + size % 100 / 60)
