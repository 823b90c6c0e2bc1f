"""A column of texts → times: each split into its day and its clock, whose order is judged over all rows.

A column of a million rows has a few thousand days and clocks, so each is taken apart once, by
`days.lex` and `clocks.lex`, however it is written.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

import polars as pl

from crimecast import Doubt
from crimecast.reading import clocks, days
from crimecast.reading.clocks import DAY
from crimecast.reading.eras import in_our_years
from crimecast.reading.moment import Asked, Moments, assemble
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, Parts, head, nulls

EPOCH = date(1970, 1, 1)
FEW = 20_000  # texts that are taken apart one by one before a split of the whole column is tried
SPLIT = (
    r"^(.*?\d[.,]?)(?:[\sT_,]+(?:at\s+|um\s+|à\s+|@\s*)?|:)"
    rf"((?:(?:{clocks.HALF})\s?)?"
    r"\d{1,2}\s?[:.hH時时点點시]\s?\d{1,2}.*|\d{1,2}\s?[AaPp]\.?\s?[Mm].*|\d{4}(?:\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}.*|\s?(?:hrs?|hours)\.?)?)$"
)
OF_PERSIA = ("Asia/Tehran", "Iran", "Asia/Kabul")
# Forms of a whole column that are first brought into one that is taken apart.
FORMS = (
    (r"^(\d{4}-\d{2}-\d{2}T\d{2})(Z|[+-]\d{2}(?::?\d{2})?)?$", "${1}:00${2}"),  # ISO 8601 to the hour
    (r"^(\d{8})(\d{6})(?:[.,]\d+)?(Z|[+-]\d{4})$", "${1}T${2}${3}"),  # as directories (LDAP) write it
    (r"(?i)^(\d{1,2})\s?giờ\s?(\d{1,2})(?:\s?phút)?,?\s+(?:ngày\s+)?(.+)$", "${3} ${1}:${2}"),
    (r"(?i)^(.+\d),?\s+(?:a las?|às|alle|ore)\s+(\d{1,2}[:.h]\d{2}(?::\d{2})?)(?:\s+h(?:oras?|s)?\.?)?$", "${1} ${2}"),
    (r"(?i)^(.+\d\s+\d{1,2}:\d{2})\s+horas?$", "${1}"),
    (r"(?i)^(.*[a-z].*\d{4}),?\s+(\d{2})(\d{2})\s?h(?:rs?)?$", "${1} ${2}:${3}"),  # 01 JAN 2022 0339H
)  # fmt: skip
# Not 14:20-05:00 or 14:20 -05:00, which are times with their offset from UTC.
SPAN = r"^(?:(\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)/\S+|(.*\d{1,2}:\d{2}(?::\d{2})?)(?:\s-\s|\s?[–—]\s?)(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\s+)?\d{1,2}:\d{2}(?::\d{2})?)$"
EASTERN = r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]\s*"
CLOCK_FIRST = re.compile(
    r"(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[ap]\.?m\.?)?)(?:\s+on|\s*-)?[\s,]+(.+)", re.IGNORECASE
)
CLOCK_LAST = re.compile(
    rf"(.+\d\.?(?:\s?\([^\d)]+\)|\s(?!(?:{clocks.HALF})(?![^\W\d_]))[^\W\d_]{{1,12}}\.?)?),?\s+(?:klo\.?\s|godz\.?\s|kl\.?\s)?((?:(?:{clocks.HALF})\s?)?\d{{1,2}}[:.h時时]\s?\d{{1,2}}.*)",
    re.IGNORECASE,
)
CTIME = re.compile(
    r"(?:\w{2,4}\.?,? )?(\w{3,9}\.?\s+\d{1,2})\s+(\d{1,2}:\d{2}:\d{2})\s*([A-Z]{2,5}|[+-]\d{4})?\s+(\d{4})"
)


def read_text(column: Column, asked: Asked) -> Moments:
    """Times written as text, read in the one order of day, month and year that all of them allow."""
    column, other_years = in_our_years(column)
    if head(column, 200).str.contains(EASTERN).any():
        column = column.map(lambda part: part.str.replace(EASTERN, "$1-$2-$3 ").str.strip_chars())
    column, spans = _in_form(column, asked.zone)
    pieces = _pieces(column)
    counts: dict[str, int] = {}
    for part in pieces:
        for piece in part:
            for text, rows in piece.group_by("day").len().rows():
                counts[text] = counts.get(text, 0) + rows
    lexed = {text: day for text in counts if (day := days.lex(text)) is not None}
    lexed, era = _in_our_years(lexed, counts)
    if (
        asked.zone in OF_PERSIA
        and asked.order is None
        and any(day.short_year for day in lexed.values())
    ):
        raise Doubt(
            "The years are of two digits, and where this city lies they may be of the Persian calendar as well (1401 was 2022): write all four digits, "
            "or say the order of the Gregorian ones.",
            "--date-format dmy or mdy or ymd",
            ("dmy", "mdy", "ymd"),
        )
    order = days.judge(
        [(day, counts[text]) for text, day in lexed.items()],
        asked.latest.date(),
        asked.order,
        asked.hint,
    )
    year = asked.latest.year
    micros = {
        text: (moment - EPOCH).days * DAY
        for text, day in lexed.items()
        if (moment := order.read(day, year)) is not None
    }
    months = {text for text in micros if not lexed[text].whole}
    given = sum(counts[text] for text in micros)
    in_months = sum(counts[text] for text in months)
    known = micros
    if months and in_months < 0.5 * given:  # a month among days is no day
        known = {text: micros[text] for text in micros.keys() - months}
        months = set()
    found = assemble(
        column.beside(pieces).map(lambda both: _moments(both[0], both[1], known)), asked
    )
    found = replace(found, parts=found.parts.kept())
    none = nulls(found.parts)[0]
    empties = (
        sum(int(part.str.to_lowercase().is_in(list(days.EMPTY)).sum()) for part in column)
        if none
        else 0
    )
    unread = none - nulls(column)[0] - empties
    kinds = {lexed[text].orders for text in micros}
    judged = any("mdy" in orders for orders in kinds)
    says = days.WORDS[order.last if judged else order.first]
    if not judged and not any(kinds):
        says = "written out"
    notices = [*found.notices, *era, *([other_years] if other_years else [])]
    if spans:
        says_so = (
            f"{spans:,} times are spans, such as 14:20 to 15:00: the beginning of each is taken."
        )
        notices.append(Notice("spans", says_so, spans))
    if judged and order.doubtful:
        notices.append(
            Notice(
                "date_order",
                f"Dates are read {says}, {order.says}: no row of this file tells.",
                given,
            )
        )
    return replace(
        found,
        unread=max(0, unread),
        precision="month" if months else found.precision,
        says=f"{says}: {order.says}" if judged and order.says else says,
        order=order.last if judged else None,
        notices=tuple(notices),
    )


def _in_form(column: Column, zone: str) -> tuple[Column, int]:
    """The column with its forms of FORMS brought into others, spans as their beginnings, without the name of the
    zone; and how many were spans."""
    some = head(column, 200)
    own = (rf"^(.+\d)\s?\[?{re.escape(zone)}\]?$", "${1}")
    for form, plain_form in (own, *FORMS):
        if some.str.contains(form).any():
            column = column.map(partial(_replaced, form=form, plain_form=plain_form))
    if not some.str.contains(SPAN).any():
        return column, 0
    spans = sum(int(part.str.contains(SPAN).sum() or 0) for part in column)
    return column.map(partial(_replaced, form=SPAN, plain_form="${1}${2}")), spans


def _replaced(part: pl.Series, form: str, plain_form: str) -> pl.Series:
    return part.str.replace(form, plain_form)


def _in_our_years(
    lexed: dict[str, days.Day], counts: dict[str, int]
) -> tuple[dict[str, days.Day], list[Notice]]:
    """Days of Thailand's calendar in the years of ours. Raises Doubt for those of Iran's."""
    total = sum(counts[text] for text in lexed)
    for years in (days.THAI, days.PERSIAN):
        rows = sum(counts[text] for text, day in lexed.items() if days.year_of(day) in years)
        if not rows or rows < 0.9 * total:
            continue
        year = next(y for day in lexed.values() if (y := days.year_of(day)) in years)
        if years is days.PERSIAN:
            raise Doubt(
                f"The dates are of years such as {year}, which seem to be those of the Persian calendar: write them as days of the Gregorian one."
            )
        says = f"The dates are of years such as {year}: they are taken as those of the Buddhist calendar, {year} as {year - days.BUDDHIST}."
        return {text: days.of_thailand(day) for text, day in lexed.items()}, [
            Notice("buddhist_years", says, rows)
        ]
    return lexed, []


def _moments(series: pl.Series, pieces: list[pl.DataFrame], micros: dict[str, int]) -> pl.DataFrame:
    """`micros`, `clock` and `offset` of each row; null in rows that couldn't be taken apart."""
    frames = []
    for piece in pieces:
        frames.append(
            piece.select(
                "row",
                pl.col("day")
                .replace_strict(micros, default=None, return_dtype=pl.Int64)
                .alias("micros"),
                *_clock_columns(piece["clock"]),
            )
        )
    empty = pl.DataFrame(
        schema={"row": pl.UInt32, "micros": pl.Int64, "clock": pl.Int64, "offset": pl.Int64}
    )
    whole = pl.concat([empty, *frames]) if len(frames) != 1 else frames[0]
    if whole.height == len(series):
        return whole.sort("row") if len(frames) > 1 else whole
    rows = pl.DataFrame({"row": pl.int_range(len(series), dtype=pl.UInt32, eager=True)})
    return rows.join(whole, on="row", how="left", maintain_order="left")


def _pieces(column: Column) -> Parts[list[pl.DataFrame]]:
    """Rows whose text could be taken apart: `row`, `day`, `clock` (null without one), by the split that did it."""
    mark = "T" if bool(head(column, 50).str.contains(r"\dT\d").any()) else " "
    begun = column.map(
        lambda part: _split(
            [],
            pl.DataFrame(
                {"row": pl.int_range(len(part), dtype=pl.UInt32, eager=True), "text": part}
            ).drop_nulls(),
            lambda rows: _split_at(rows, mark),
        )
    )
    left: set[str] = set()
    for _, rows in begun:
        left.update(rows["text"].unique().head(FEW + 1))
        if len(left) > FEW:
            break
    splits = (
        [_split_by_form, _one_by_one]
        if len(left) > FEW
        else [_unsplit, _split_by_form, _one_by_one]
    )

    def rest(state: tuple[list[pl.DataFrame], pl.DataFrame]) -> list[pl.DataFrame]:
        for split in splits:
            state = _split(*state, split)
        return state[0]

    return begun.map(rest)


def _split(
    pieces: list[pl.DataFrame],
    left: pl.DataFrame,
    split: Callable[[pl.DataFrame], pl.DataFrame],
) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """The pieces with what this split takes apart of the rows that are left, and the rows left then."""
    parts = split(left) if left.height else left
    if parts.is_empty():
        return pieces, left
    fits = None
    for name, lex in (("day", days.lex), ("clock", clocks.lex)):
        texts = [text for text in parts[name].unique() if text is not None]
        good = [text for text in texts if lex(text) is not None]
        if len(good) < len(texts) or (name == "day" and parts[name].has_nulls()):
            own = parts[name].is_in(good)
            own = own | parts[name].is_null() if name == "clock" else own.fill_null(False)
            fits = own if fits is None else fits & own
    piece = parts if fits is None else parts.filter(fits)
    if not piece.height:
        return pieces, left
    over = piece.height == left.height
    return [*pieces, piece], left.clear() if over else left.join(piece, on="row", how="anti")


def _split_at(rows: pl.DataFrame, mark: str) -> pl.DataFrame:
    parts = (
        rows["text"]
        .to_frame()
        .select(pl.col("text").str.splitn(mark, 2).struct.rename_fields(["day", "clock"]))
        .unnest("text")
    )
    return pl.DataFrame(
        {"row": rows["row"], "day": parts["day"], "clock": parts["clock"].str.strip_chars()}
    )


def _unsplit(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("row", pl.col("text").alias("day"), pl.lit(None, pl.String).alias("clock"))


def _split_by_form(rows: pl.DataFrame) -> pl.DataFrame:
    parts = rows.select(
        "row", pl.col("text").str.extract_groups(SPLIT).struct.rename_fields(["day", "clock"])
    ).unnest("text")
    return parts.filter(pl.col("day").is_not_null())


def _one_by_one(rows: pl.DataFrame) -> pl.DataFrame:
    found: dict[str, tuple[str, str]] = {}
    for text in rows["text"].unique().to_list():
        if match := CLOCK_FIRST.fullmatch(text):
            found[text] = (match[2], match[1])
        elif (match := CLOCK_LAST.fullmatch(text)) and days.lex(match[1]) is not None:
            found[text] = (match[1], match[2])
        elif match := CTIME.fullmatch(text):
            found[text] = (f"{match[1]} {match[4]}", f"{match[2]} {match[3] or ''}")
    known = rows.filter(pl.col("text").is_in(list(found)))
    return pl.DataFrame(
        {
            "row": known["row"],
            "day": [found[text][0] for text in known["text"]],
            "clock": [found[text][1] for text in known["text"]],
        },
        schema={"row": pl.UInt32, "day": pl.String, "clock": pl.String},
    )


def _clock_columns(texts: pl.Series) -> list[pl.Series]:
    """Microseconds since midnight, null where it isn't a clock (0 without one), and the offset in seconds."""
    lexed = {text: clocks.lex(text) for text in texts.unique() if text is not None}
    micros = {text: clock.micros for text, clock in lexed.items() if clock is not None}
    offsets = {
        text: clock.offset
        for text, clock in lexed.items()
        if clock is not None and clock.offset is not None
    }
    if not lexed:
        clock = pl.repeat(0, len(texts), dtype=pl.Int64, eager=True)
    else:
        clock = texts.replace_strict(micros, default=None, return_dtype=pl.Int64)
        clock = clock.set(texts.is_null(), 0) if texts.has_nulls() else clock
    none = pl.Series([None], dtype=pl.Int64)
    offset = (
        texts.replace_strict(offsets, default=None, return_dtype=pl.Int64)
        if offsets
        else pl.select(pl.repeat(none[0], len(texts), dtype=pl.Int64)).to_series()
    )
    return [clock.rename("clock"), offset.rename("offset")]
