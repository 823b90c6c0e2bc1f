"""Which column of a file names the quarter that each record lies in, and where those quarters are by its records.

A column that is named so counts if its values are names, some of them and not too many, whose records lie together: the
squared distances from the middle of each name are at most half of those from the middle of all.
"""

import re

import polars as pl

from crimecast.cities.quarters import gathered
from crimecast.reading.columns import plain
from crimecast.reading.parts import Parts, Rows, head

# The smaller kind of place first.
NAMED = (
    re.compile(
        r"neighbou?rhood|(^|_)(nhood|hood)|wijk|buurt|(^|_)barrio|bairro|quartier|ortsteil|stadtteil|stadsdel|bydel|kaupunginosa|osiedle|"
        r"(^|_)ctvrt|mestska_cast|mahalle|rione|(^|_)colonia|freguesia|suburb|community(_area)?_?name|(^|_)dong(_|$)|町丁|動|район"
    ),
    re.compile(
        r"bezirk|borough|dzielnic|kerulet|kommune|arrondissement|parroquia|(^|_)(zona|ward|area_?name|sector)(_|$)|district(?!_?(id|no|nr|num|court))|"
        r"distrito|precinct_?name|区$|區$|구$"
    ),
)
MOST, LEAST = 400, 3  # names
SAMPLE = 10_000
TOGETHER = 0.5
LETTERS = r"\p{L}{2}"
EMPTY = pl.DataFrame(
    schema={"name": pl.String, "longitude": pl.Float64, "latitude": pl.Float64, "records": pl.Int64}
)


def quarter_column(rows: Rows, used: dict[str, list[str]]) -> str | None:
    """The column that is named for quarters and holds names, if there is one that nothing else is read from."""
    taken = {name for parts in used.values() for name in parts}
    for pattern in NAMED:
        for name in rows.columns:
            if name not in taken and pattern.search(plain(name)) and _are_names(rows, name):
                return name
    return None


def _are_names(rows: Rows, name: str) -> bool:
    values = head(rows.column(name), SAMPLE)
    if values.dtype != pl.String:
        return False
    texts = values.str.strip_chars().drop_nulls()
    texts = texts.filter(texts != "")
    named = texts.filter(texts.str.contains(LETTERS))
    few = LEAST <= texts.n_unique() <= min(MOST, 0.2 * len(texts))
    return few and len(texts) >= 0.5 * len(values) and len(named) > 0.9 * len(texts)


def quarters_in(rows: Rows, events: Parts[pl.DataFrame], column: str) -> pl.DataFrame:
    """Where the records of each name lie, for `cities.quarters`; empty where they don't lie together.

    `events` are those of the rows, in their order, with `longitude`, `latitude` and `reason`.
    """
    found = [
        _places(names, part) for names, part in rows.column(column).beside(events)
    ]  # fmt: skip
    made = pl.concat(found)
    return made if made.height and _together(made) else EMPTY


def _places(names: pl.Series, events: pl.DataFrame) -> pl.DataFrame:
    good = events.select("longitude", "latitude", "reason").with_columns(
        names.str.replace_all(r"\s+", " ").str.strip_chars().str.slice(0, 60).alias("name")
    )
    good = good.filter(
        pl.col("reason").is_null() & pl.col("name").str.contains(LETTERS) & pl.col("longitude").is_not_null()
    )  # fmt: skip
    one = pl.lit(1, pl.Int64).alias("records")
    return gathered(good.select("name", "longitude", "latitude", one))


def _together(places: pl.DataFrame) -> bool:
    """Whether records of one name lie closer to one another than to those of others."""
    weight, axes = pl.col("records"), ("longitude", "latitude")

    def spread(over: str | None) -> float:
        """Sum of squared distances from the middle of each name, or of all; a degree east is as long as one north."""
        total = 0.0
        for axis in axes:
            at = pl.col(axis)
            middle = (at * weight).sum() / weight.sum()
            middle = middle.over(over) if over else middle
            total += float(places.select(((at - middle) ** 2 * weight).sum()).item())
        return total

    return places["name"].n_unique() >= LEAST and spread("name") <= TOGETHER * spread(None)
