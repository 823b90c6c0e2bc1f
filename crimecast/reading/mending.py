"""What every text of a column shows to be a mistake of the program that wrote it: quotes that were left, letters that
were encoded twice."""

from collections.abc import Callable

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows

HEAD = 2_000  # rows that are looked at
TWICE = r"[ÃÂÐÑ][\u0080-\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ¡-¿]|â€"


def mended(rows: Rows) -> tuple[Rows, list[Notice]]:
    """The rows with such columns put right, and what was done."""
    head = rows.head(HEAD)
    fixes: dict[str, Callable[[pl.Series], pl.Series]] = {}
    notices = []
    for name in head.columns:
        texts = head[name].drop_nulls()
        if texts.dtype != pl.String or texts.is_empty():
            continue
        if bool(texts.str.contains("^'.*'$").all()):
            fixes[name] = lambda part: part.str.strip_prefix("'").str.strip_suffix("'")
        elif bool(texts.str.contains(TWICE).any()) and _reads_better(texts):
            fixes[name] = _once
            says = f"The letters of '{name}' were encoded twice ({texts.filter(texts.str.contains(TWICE))[0]:.40}): they are read as they were meant."
            notices.append(Notice("encoded_twice", says, rows.height))
    if not fixes:
        return rows, []

    def select(names: list[str]) -> Parts[pl.DataFrame]:
        own = [name for name in names if name in fixes]
        return rows.select(names).map(
            lambda part: part.with_columns([fixes[name](part[name]).alias(name) for name in own])
        )

    return Rows(select, rows.schema, rows.height), notices


def _once(part: pl.Series) -> pl.Series:
    known = {text: _decoded(text) for text in part.unique().to_list() if text is not None}
    return part.replace(known)


def _decoded(text: str) -> str:
    for name in ("cp1252", "latin-1"):
        try:
            return text.encode(name).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _reads_better(texts: pl.Series) -> bool:
    """Whether nearly all texts beyond ASCII can be taken for UTF-8 that was read as Windows' Latin."""
    some = [text for text in texts.unique().to_list() if not text.isascii()]
    return sum(_decoded(text) != text for text in some) > 0.8 * len(some)
