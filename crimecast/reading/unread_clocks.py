"""Columns of times of day that aren't read, by their values: hours alone, halves and quarters of them, parts of the day."""

import re

import numpy as np
import polars as pl

from crimecast.reading import clock_columns, words
from crimecast.reading.columns import plain
from crimecast.reading.parts import Rows

ENOUGH = 40  # rows
LATER = re.compile(r"report|updat|creat|modif|load|enter|clos|clear|publish|edit|receiv|zone|stamp")
AREA = re.compile(
    r"beat|district|ward|zone|sector|area|precinct|block|region|route|line|age|code|id"
)
UNIT = r"(?:時|时|點|시|h(?:rs?|ours?)?|uhr|stunde|uur|[ap]\.?m\.?|:\d\d)"
ONE = rf"(?:h\s?)?\d{{1,2}}\.?\s?{UNIT}?"
# An hour with a unit, or from one to another.
HOURS = rf"^[\[(\]]?\s*(?:(?:h\s?)\d{{1,2}}|\d{{1,2}}\.?\s?{UNIT}|{ONE}\s*(?:-|–|—|~|～|〜|,|to|bis|a|à)\s*{ONE}|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) [ap]m)\s*[\])\[]?$"
SEVERAL = 12  # hours that a day has
PARTS_OF_DAY = {
    "night", "morning", "afternoon", "evening", "noon", "midday", "late night", "early morning", "day", "overnight", "nacht", "morgen", "vormittag", "mittag",
    "nachmittag", "abend", "mañana", "tarde", "noche", "madrugada", "matin", "après-midi", "soir", "nuit", "manhã", "noite", "mattina", "pomeriggio", "sera", "notte",
}  # fmt: skip


def all_hours(table: Rows, name: str) -> tuple[str, str] | None:
    """Says that a column holds all hours of the day and nothing else: the code of the notice, and its sentence."""
    if words.LATER.search(plain(name)) or not clock_columns.hours_alone(table, name):
        return None
    return (
        "clock_unread",
        f"'{name}' holds all numbers from 0 to 23 and no other, as hours do, and isn't used: only days are known. If it is the hour, choose it for the time too, behind the day.",
    )


def slots_or_parts(name: str, values: pl.Series) -> tuple[str, str] | None:
    """Says that a column numbers the halves or quarters of the hours of a day, or names parts of the day."""
    number = values.cast(pl.Float64, strict=False)
    if len(values) >= ENOUGH and values.dtype == pl.String:
        hours = values.str.strip_chars().str.to_lowercase()
        if hours.str.contains(HOURS).mean() > 0.9 and SEVERAL <= hours.n_unique() <= 48:  # type: ignore[operator]
            return (
                "clock_unread",
                f"'{name}' holds hours, such as {values[0]!r:.30}, in a form that isn't read, and isn't used: only days are known. Write the hour as a number.",
            )
    if len(values) >= ENOUGH and _ends_on_clocks(values):
        return (
            "clock_unread",
            f"'{name}', such as {values[0]}, looks like a day and its clock in one number, and isn't used: only days are known. Write it as 2024-01-31 09:30.",
        )
    if values.dtype == pl.String and number.null_count() > 0.5 * len(values):
        texts = {text.strip().lower() for text in values.unique().to_list()}
        if len(texts & PARTS_OF_DAY) < 3 or len(texts - PARTS_OF_DAY) > 1:
            return None
        return (
            "clock_unread",
            f"'{name}' names parts of the day, such as {sorted(texts & PARTS_OF_DAY)[0]!r}, and isn't used: only days are known, and a grid of shorter steps would show all at midnight.",
        )
    if number.has_nulls() or AREA.search(plain(name)) or LATER.search(plain(name)):
        return None
    whole = set(number.to_list())
    for slots, length in ((96, "quarter of an hour"), (48, "half hour")):
        for first in (0, 1):
            span = set(range(first, first + slots))
            if (
                whole <= span
                and len(whole) > 0.75 * slots * (1 - np.exp(-len(values) / slots))
                and max(whole) > 0.9 * slots
                and (min(whole) == first or first)
            ):
                return (
                    "clock_unread",
                    f"'{name}' looks like the number of the {length} in the day, {first} to {first + slots - 1}, and isn't used: only days are known. Write it as a time, such as 17:30.",
                )
    return None


def _ends_on_clocks(values: pl.Series) -> bool:
    """Whether nearly all of the values are long numbers that end on hour and minute, many different ones."""
    texts = values.cast(pl.String).str.strip_chars()
    parts = texts.str.extract_groups(r"^\d{6,8}(\d{2})(\d{2})$").struct.unnest()
    hour, minute = (parts[name].cast(pl.Int64, strict=False) for name in parts.columns)
    good = ((hour < 24) & (minute < 60)).fill_null(False)
    various = (hour * 60 + minute).n_unique() > 20 and hour.n_unique() > 12
    return various and int(good.sum()) > 0.95 * len(values)
