"""Years that are counted from another beginning than ours: by Japan's emperors, or since Taiwan's republic."""

from functools import partial

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, head

# The year before each era's first, and what it is called.
REPUBLIC = 1911
EMPERORS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "r": 2018, "h": 1988, "s": 1925}
ERAS = EMPERORS | dict.fromkeys(("中華民國", "中华民国", "民國", "民国"), REPUBLIC)
DAY = r"\s?[年/.-]\s?(0?[1-9]|1[0-2])\s?[月/.-]\s?([0-2]?\d|3[01])(?:\s?日|\b)\s*"
NAMED = rf"(?i)^\s*({'|'.join(ERAS)})\s*\.?\s*(\d{{1,3}}|元){DAY}"
BARE = rf"^\s*()(\d{{2,3}}){DAY}"
THREE_DIGITS = rf"^\s*1\d\d{DAY}"


def in_our_years(column: Column) -> tuple[Column, Notice | None]:
    """Days of such years written as ours, `2023-3-4`, where half of a column's beginning has them."""
    sample = head(column, 200)
    if not len(sample):
        return column, None
    for pattern, tells in ((NAMED, NAMED), (BARE, THREE_DIGITS)):
        if float(sample.str.contains(tells).mean() or 0) >= 0.5:  # type: ignore[arg-type]
            shown = next(text for text in sample if text is not None)
            rows = sum(int(part.str.contains(pattern).sum()) for part in column)
            made = column.map(partial(_written_anew, pattern))
            read = str(_written_anew(pattern, pl.Series([shown]))[0]).strip()
            says = f"The dates count years from another beginning than ours: '{shown}' is read as {read}."
            return made, Notice("other_years", says, rows)
    return column, None


def _written_anew(pattern: str, part: pl.Series) -> pl.Series:
    groups = part.str.extract_groups(pattern).struct.rename_fields(["era", "year", "month", "day"])
    taken = groups.struct.unnest()
    number = taken["year"].replace("元", "1").cast(pl.Int64, strict=False)
    before = taken["era"].str.to_lowercase().replace_strict(ERAS, default=REPUBLIC, return_dtype=pl.Int64)  # fmt: skip
    rest = part.str.replace(pattern, "")
    ours = pl.select(
        pl.format("{}-{}-{} {}", number + before, taken["month"], taken["day"], rest)
    ).to_series()
    return pl.select(pl.coalesce(ours.str.strip_chars(), part)).to_series().alias(part.name)
