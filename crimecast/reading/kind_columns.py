"""Which column of a file tells what happened: its type."""

import math
import re

import polars as pl

from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows, distinct, head
from crimecast.reading.place_columns import spread
from crimecast.reading.words import CRIMES, KIND, NO_KIND, NOT_KIND, OFFENCE, OTHER

SOME, MOST = 0.1, 0.4  # of the texts name an offence, in a column of types and in a better one
FIRST = 2_000  # rows that are looked at before all
VARIOUS = 0.3  # of the texts of a type, at most, differ
LONG = 120  # letters of a type
ANY_KIND = {"type", "category", "kind", "class", "tipo", "categoria", "art", "typ"}


def kind_column(
    table: Rows, options: list[list[str]], found: dict[str, list[str]], notices: list[Notice]
) -> str | None:
    """The column of the type, if there is one: of the `options` that names propose the first, unless another
    tells better which offence it was; a doubt goes to the `notices`."""
    chosen = _by_name(table, options, found, notices)
    if chosen is not None and _crimes_in(_sample(table, chosen), math.inf) >= SOME:
        return chosen
    taken = {column for parts in found.values() for column in parts} | {chosen}
    told = {}
    for name in table.columns:
        if name in taken or table.schema[name] != pl.String:
            continue
        # The first rows are read quickly, and tell of nearly all columns that they are none.
        if _crimes_in(head(table.column(name), FIRST)) >= MOST / 2:
            told[name] = _crimes_in(_sample(table, name))
    told = {name: share for name, share in told.items() if share >= MOST}
    better = max(told, key=lambda name: told[name], default=None)
    if better is None:
        return chosen
    if chosen is not None:
        notices[:] = [one for one in notices if one.code != "type_column"]
        says = (
            f"The type is taken from '{better}', whose values name offences, not from '{chosen}'."
        )
        notices.append(Notice("type_column", says, table.height))
    return better


def _sample(table: Rows, name: str) -> pl.Series:
    return spread(table, [name])[name].cast(pl.String)


def _crimes_in(sample: pl.Series, most: float = VARIOUS) -> float:
    """Which share of the texts of a column are short and name an offence; 0 of free text, of which more than the share
    `most` differ."""
    texts = sample.drop_nulls()
    texts = texts.filter(texts.str.strip_chars() != "")
    if not len(texts) or texts.n_unique() > max(20, most * len(texts)):
        return 0.0
    each = texts.value_counts()
    named = sum(n for text, n in each.rows() if len(text) <= LONG and CRIMES.search(text))
    return float(named / len(texts))


def _by_name(
    table: Rows, options: list[list[str]], found: dict[str, list[str]], notices: list[Notice]
) -> str | None:
    taken = {column for parts in found.values() for column in parts}
    named = [option[0] for option in options if option[0] not in taken]
    likely = []
    for place, name in enumerate(table.columns):
        word = plain(name)
        if name in taken or table.schema[name] != pl.String or not KIND.search(word):
            continue
        given, different = distinct(table.column(name))
        sample = spread(table, [name])[name]
        coded = len(sample) and sample.cast(pl.Float64, strict=False).null_count() < 0.5 * len(
            sample
        )
        if not given or different > max(20, 0.3 * given) or coded:
            continue
        score = (
            -6 * _tells_no_type(table, name)
            + 3 * bool(OFFENCE.search(word))
            - 4 * bool(NOT_KIND.search(word))
            - bool(re.search(r"(^|_)id$", word))
        )
        likely.append((-score, place, name))
    if named:
        own, none = _kinds(table, named[0]), _tells_no_type(table, named[0])
        # A flag or a class, or the same in every row, where another column tells which offence it was.
        finer = [
            n
            for score, _, n in sorted(likely)
            if n != named[0] and score <= 0 and _kinds(table, n) > 2
        ]
        # Where a column is called after the offence, one of any name may be of what it was done with or where.
        offence = [n for n in finer if OFFENCE.search(plain(n)) and plain(named[0]) in ANY_KIND]
        if offence and not none:
            says = f"The type is taken from '{offence[0]}'; '{named[0]}' could be it as well."
            notices.append(Notice("type_column", says, table.height))
            return offence[0]
        if not none:
            finer = [n for n in finer if _kinds(table, n) > max(2, own)]
        if finer and (own <= 2 or none):
            why = (
                "says how a case stands, who or how urgent"
                if none
                else f"has {own} value{'s' * (own > 1)} alone"
            )
            says = f"The type is taken from '{finer[0]}': '{named[0]}' {why}."
            notices.append(Notice("type_column", says, table.height))
            return finer[0]
        if none:
            notices.append(_no_offence(table, named[0]))
        return named[0]
    likely = [one for one in likely if one[0] <= 0 or not OTHER.search(plain(one[2]))]
    if not likely:
        return None
    chosen = min(likely)[2]
    if _tells_no_type(table, chosen):
        notices.append(_no_offence(table, chosen))
    return chosen


def _kinds(table: Rows, name: str) -> int:
    """How many different texts a sample of a column holds."""
    return spread(table, [name])[name].cast(pl.String).n_unique()


def _tells_no_type(table: Rows, name: str) -> bool:
    """Whether the texts of a column are nothing but states of a case, sexes, priorities or yes and no."""
    texts = spread(table, [name])[name].cast(pl.String).str.strip_chars().str.to_lowercase()
    return len(texts) > 0 and all(NO_KIND.fullmatch(text) for text in texts.unique().to_list())


def _no_offence(table: Rows, name: str) -> Notice:
    says = f"The type is taken from '{name}', whose values say how a case stands, who or how urgent, not what happened."
    return Notice("type_column", says, table.height)
