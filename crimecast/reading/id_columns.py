"""Which column of a file names each record."""

import re

import polars as pl

from crimecast.cities import City
from crimecast.reading.columns import plain
from crimecast.reading.parts import Rows, distinct, nulls
from crimecast.reading.words import COUNTER, DATED, IDENTITY

UNIQUE, EMPTY = 0.95, 0.02  # of the values of a column that is called a number of records
AGAIN = 0.9  # of the rows whose number comes again, that are the same in all columns
# Numbers of persons, things and places, and of anything that has several records.
OF_OTHERS = re.compile(
    r"phone|tel(_|$)|plate|licen|passport|(^|_)(vin|dni|cpf|ssn|nif|curp|imei|pin)(_|$)|badge|house|street|apart|flat|zip|post|person|offic|vict|suspect|"
    r"birth|block|beat|district|address|vehicle|weapon|lat|lon|code|time|hour|hora|placa|telefon|matric|calle"
)


def id_column(table: Rows, options: list[list[str]], taken: set[str], city: City) -> str | None:
    """A column that names each record, of those that are known by name, else of those that are called numbers in any
    language and hardly repeat one; a number that only counts the rows of this file is none."""
    for option in options:
        name = option[0]
        if name in taken or COUNTER.match(plain(name)):
            continue
        if plain(name) in {plain(source.columns.get("source_id", "")) for source in city.sources}:
            return name  # the registry knows this portal's
        column = table.column(name)
        null, _ = nulls(column)
        given, different = distinct(column)
        if null <= 0.5 * table.height and different >= 0.5 * given:
            return name
    return next(
        (name for name in table.columns if name not in taken and _numbers(table, name)), None
    )


def _numbers(table: Rows, name: str) -> bool:
    """Whether a column is called a number of records, differs from record to record, and where it doesn't the whole
    row is the same: the number of a case that has several offences tells them apart by nothing."""
    word, kind = plain(name), table.schema[name]
    if not IDENTITY.search(word) or COUNTER.match(word) or OF_OTHERS.search(word):
        return False
    if DATED.search(word) or not (kind == pl.String or kind.is_integer()):
        return False
    null, size = nulls(table.column(name))
    given, different = distinct(table.column(name))
    if null > EMPTY * size or different < UNIQUE * given or not given:
        return False
    rows = same = 0
    for part in table.select(table.columns):
        twice = part.filter(part[name].is_duplicated() & part[name].is_not_null())
        rows, same = rows + twice.height, same + int(twice.is_duplicated().sum())
    return same >= AGAIN * rows
