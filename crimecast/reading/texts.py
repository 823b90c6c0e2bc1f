"""A column of texts → times: each split into its day and its clock, whose order is judged over all rows.

A column of a million rows has a few thousand days and clocks, so each is taken apart once, by
`days.lex` and `clocks.lex`, however it is written.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl

from crimecast.reading import clocks, days
from crimecast.reading.clocks import DAY
from crimecast.reading.moment import Asked, Moments, assemble
from crimecast.reading.notice import Notice

EPOCH = date(1970, 1, 1)
FEW = 20_000  # texts that are taken apart one by one before a split of the whole column is tried
SPLIT = (
    r"^(.*?\d[.,]?)(?:[\sT_,]+(?:at\s+|um\s+|à\s+|@\s*)?|:)"
    r"(\d{1,2}\s?[:.hH]\s?\d{1,2}.*|\d{1,2}\s?[AaPp]\.?\s?[Mm].*|\d{4}(?:\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}.*)?)$"
)
CLOCK_FIRST = re.compile(
    r"(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[ap]\.?m\.?)?)(?:\s+on|\s*-)?[\s,]+(.+)", re.IGNORECASE
)
CTIME = re.compile(
    r"(?:\w{2,4}\.?,? )?(\w{3,9}\.?\s+\d{1,2})\s+(\d{1,2}:\d{2}:\d{2})\s*([A-Z]{2,5}|[+-]\d{4})?\s+(\d{4})"
)


def read_text(series: pl.Series, asked: Asked) -> Moments:
    """Times written as text, read in the one order of day, month and year that all of them allow."""
    pieces = _pieces(series)
    counts: dict[str, int] = {}
    for piece in pieces:
        for text, rows in piece.group_by("day").len().rows():
            counts[text] = counts.get(text, 0) + rows
    lexed = {text: day for text in counts if (day := days.lex(text)) is not None}
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
        read = whole.sort("row") if len(frames) > 1 else whole
    else:
        rows = pl.DataFrame({"row": pl.int_range(len(series), dtype=pl.UInt32, eager=True)})
        read = rows.join(whole, on="row", how="left", maintain_order="left")
    months = {text for text in micros if not lexed[text].whole}
    given = sum(counts[text] for text in micros)
    in_months = sum(counts[text] for text in months)
    if months and in_months < 0.5 * given:  # a month among days is no day
        unclear = pl.concat(
            [piece.filter(pl.col("day").is_in(list(months)))["row"] for piece in pieces]
        )
        read = read.with_columns(
            pl.when(pl.int_range(pl.len(), dtype=pl.UInt32).is_in(unclear.implode()))
            .then(None)
            .otherwise(pl.col("micros"))
            .alias("micros")
        )
        months = set()
    found = assemble(read, asked)
    empties = (
        int(series.str.to_lowercase().is_in(list(days.EMPTY)).sum())
        if found.values.has_nulls()
        else 0
    )
    unread = found.values.null_count() - series.null_count() - empties
    kinds = {lexed[text].orders for text in micros}
    judged = any("mdy" in orders for orders in kinds)
    says = days.WORDS[order.last if judged else order.first]
    if not judged and not any(kinds):
        says = "written out"
    notices = list(found.notices)
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


def _pieces(series: pl.Series) -> list[pl.DataFrame]:
    """Rows whose text could be taken apart: `row`, `day`, `clock` (null without one), by the split that did it."""
    left = pl.DataFrame(
        {"row": pl.int_range(len(series), dtype=pl.UInt32, eager=True), "text": series}
    ).drop_nulls()
    first = left["text"].head(50)
    by_t = bool(first.str.contains(r"\dT\d").any())
    splits: list[Callable[[pl.DataFrame], pl.DataFrame]] = [
        lambda rows: _split_at(rows, "T" if by_t else " ")
    ]
    splits += [_unsplit, _split_by_form, _one_by_one]
    pieces = []
    for split in splits:
        if left.is_empty():
            break
        parts = split(left)
        if parts.is_empty():
            continue
        fits = None
        for name, lex in (("day", days.lex), ("clock", clocks.lex)):
            texts = [text for text in parts[name].unique() if text is not None]
            good = [text for text in texts if lex(text) is not None]
            if len(good) < len(texts) or (name == "day" and parts[name].has_nulls()):
                own = parts[name].is_in(good)
                own = own | parts[name].is_null() if name == "clock" else own.fill_null(False)
                fits = own if fits is None else fits & own
        piece = parts if fits is None else parts.filter(fits)
        if piece.height:
            pieces.append(piece)
            left = (
                left.clear()
                if piece.height == left.height
                else left.join(piece, on="row", how="anti")
            )
    return pieces


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
    if rows["text"].n_unique() > FEW:
        return pl.DataFrame(schema={"row": pl.UInt32, "day": pl.String, "clock": pl.String})
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
