"""Which columns of a file name the quarter and the street that each record lies in, and where those are by its records.

A column that is named so counts if its values are names, some of them and not too many, whose records lie together: the
squared distances from the middle of each name are at most half of those from the middle of all. Of an address the
number of the house is left out.
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
STREETS = (
    re.compile(
        r"^(street|calle|rua|rue|via|strada|ulice|ulica|utca|gata|gade|vej|gatu?navn|cadde|sokak)$|street_?name|nombre_calle|nome_rua|nom_(voie|rue)|"
        r"stra(ss|ß)en?(name)?(_|$)|straat(naam)?(_|$)|улица|вулиця|通り|路名|(^|_)(calle|rua|logradouro|ulice|ulica|utca)(_|$)"
    ),
    re.compile(
        r"(^|_)(block|address|location_?street|adresse|direccion|endereco|indirizzo|adres|cim|адрес)(_|$)|^location$"
    ),
)
OF_PERSONS = re.compile(
    r"vict|suspect|offend|arrest|person|home|resid|domicil|wohn|report|complain"
)
# The number of a house, or of a block of them, before a street's name and behind it.
BEFORE = r"(?i)^\d+[\dx]*\s+(?:block\s+(?:of\s+)?)?"
BEHIND = r"(?i)[,\s]+(?:n[ºo°.]*\s*)?\d+\s?[a-z]?$"
MOST, LEAST = {"quarter": 400, "street": 20_000}, 3  # names
FEW = {"quarter": 0.2, "street": 0.5}  # names for each record, at most
SAMPLE = 10_000
TOGETHER = 0.5
LETTERS = r"\p{L}{2}"
EMPTY = pl.DataFrame(
    schema={
        "kind": pl.String,
        "name": pl.String,
        "longitude": pl.Float64,
        "latitude": pl.Float64,
        "records": pl.Int64,
    }
)


def naming_columns(rows: Rows, used: dict[str, list[str]]) -> dict[str, str]:
    """The columns that are named for a `quarter` and for a `street` and hold names, of those that nothing is read from."""
    taken = {name for parts in used.values() for name in parts}
    found: dict[str, str] = {}
    for kind, patterns in (("quarter", NAMED), ("street", STREETS)):
        named = (
            name for pattern in patterns for name in rows.columns
            if name not in {*taken, *found.values()} and pattern.search(plain(name)) and not OF_PERSONS.search(plain(name)) and _are_names(rows, name, kind)
        )  # fmt: skip
        if (first := next(named, None)) is not None:
            found[kind] = first
    return found


def _are_names(rows: Rows, name: str, kind: str) -> bool:
    values = head(rows.column(name), SAMPLE)
    if values.dtype != pl.String:
        return False
    texts = pl.select(_bare(pl.lit(values), kind)).to_series().drop_nulls()
    texts = texts.filter(texts != "")
    named = texts.filter(texts.str.contains(LETTERS))
    few = LEAST <= texts.n_unique() <= min(MOST[kind], FEW[kind] * len(texts))
    return few and len(texts) >= 0.5 * len(values) and len(named) > 0.9 * len(texts)


def _bare(names: pl.Expr, kind: str) -> pl.Expr:
    bare = names.str.replace_all(r"\s+", " ").str.strip_chars()
    if kind == "street":
        bare = bare.str.replace(BEFORE, "").str.replace(BEHIND, "")
    loud = bare.str.to_uppercase() == bare
    quiet = bare.str.to_titlecase()
    for ending in ("Th", "St", "Nd", "Rd"):  # 39Th
        quiet = quiet.str.replace_all(rf"(\d){ending}\b", rf"${{1}}{ending.lower()}")
    return pl.when(loud).then(quiet).otherwise(bare).str.slice(0, 60)


def places_in(rows: Rows, events: Parts[pl.DataFrame], columns: dict[str, str]) -> pl.DataFrame:
    """Where the records of each name lie, for `cities.quarters`; none of a kind where they don't lie together.

    `events` are those of the rows, in their order, with `longitude`, `latitude` and `reason`; `columns` those of
    `naming_columns`.
    """
    made = [EMPTY]
    for kind, column in columns.items():
        found = pl.concat(
            [_places(names, part, kind) for names, part in rows.column(column).beside(events)]
        )
        if found.height and _together(found):
            made.append(found)
    return pl.concat(made)


def _places(names: pl.Series, events: pl.DataFrame, kind: str) -> pl.DataFrame:
    good = events.select("longitude", "latitude", "reason").with_columns(names.alias("name"))
    good = good.filter(
        pl.col("reason").is_null() & pl.col("name").is_not_null() & pl.col("longitude").is_not_null()
    )  # fmt: skip
    one = pl.lit(1, pl.Int64).alias("records")
    # Many rows have the same text at the same place.
    few = gathered(
        good.select(pl.lit(kind).alias("kind"), "name", "longitude", "latitude", one)
    ).with_columns(_bare(pl.col("name"), kind))
    return gathered(few.filter(pl.col("name").str.contains(LETTERS)))


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
