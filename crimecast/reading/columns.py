"""Which column of a table is the time, the place, the type and the id: guessed, mapped, checked."""

import re
import unicodedata

from crimecast import Doubt, UserError
from crimecast.cities import City

FIELDS = ("time", "longitude", "latitude", "type", "source_id")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")
SHEET = "sheet"  # the column of the names of several sheets that are read as one
REQUIRED = ("time", "longitude", "latitude")
SYNONYMS = {
    "date": "time", "datetime": "time", "lon": "longitude", "lng": "longitude", "x": "longitude",
    "lat": "latitude", "y": "latitude", "id": "source_id", "category": "type",
}  # fmt: skip
# In the order in which they are preferred; names are compared in small letters with underscores.
GUESSES: dict[str, list[str]] = {
    "time": [
        "time", "incident_datetime", "date_occ+time_occ", "date_occ", "occurred_on_date", "occurred_on",
        "occurrence_date", "offense_start_datetime", "datetime", "date_time", "timestamp", "date+time",
        "dates", "date", "year+month+day+hour+minute", "year+month+day+hour", "year+month+day",
        "reported_date", "incident_date", "year+month",
    ],
    "longitude": ["longitude", "lon", "lng", "long", "point_x", "x"],
    "latitude": ["latitude", "lat", "point_y", "y"],
    "type": [
        "type", "primary_type", "incident_category", "crm_cd_desc", "category", "offense",
        "offense_type", "crime_type", "offense_category", "primary_offense",
    ],
    "source_id": ["source_id", "id", "row_id", "dr_no", "pdid", "record_id", "event_id", "crime_id", "incident_id", "incident_number", "case_number", "report_number"],
}  # fmt: skip


def plain(name: str) -> str:
    """A column's name in small letters without accents, with one underscore for whatever is neither letter
    nor digit.

    >>> plain(" Länge (WGS84)"), plain("Широта"), plain("緯度")
    ('lange_wgs84', 'широта', '緯度')
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", bare).casefold()).strip("_")


def find(wanted: str, names: dict[str, str]) -> list[str] | None:
    """The columns that `a+b` names, or None if one is missing."""
    parts = [names.get(plain(part)) for part in wanted.split("+")]
    return None if None in parts else [part for part in parts if part is not None]


def guess(columns: list[str], city: City | None = None) -> dict[str, list[str]]:
    """For each of our fields the columns that hold it, as far as the names tell.

    The city's own mapping comes first, then its portal's, then common names.
    """
    names: dict[str, str] = {}
    for column in columns:
        names.setdefault(plain(column), column)
    known: list[dict[str, str]] = []
    if city is not None:
        known = [city.columns, *(source.columns for source in city.sources)]
    found: dict[str, list[str]] = {}
    for name in FIELDS:
        options = [mapping[name] for mapping in known if name in mapping] + GUESSES[name]
        for option in options:
            match = find(option, names)
            if match:
                found[name] = match
                break
    return found


def resolve(
    columns: list[str], mapping: dict[str, str] | None = None, city: City | None = None
) -> dict[str, list[str]]:
    """The columns of each field: those of `mapping` (`a+b` joins several), the rest guessed.

    Raises UserError for a field that doesn't exist, a column that isn't there, or a required
    field that nothing holds.
    """
    found = guess(columns, city)
    for key, value in (mapping or {}).items():
        name = SYNONYMS.get(key, key)
        if name not in FIELDS:
            raise UserError(f"'{key}' can't be mapped: the fields are {', '.join(FIELDS)}.")
        parts = [value] if value in columns else value.split("+")
        for part in parts:
            if part not in columns:
                raise UserError(
                    f"There is no column '{part}'; the columns are {', '.join(columns)}."
                )
        found[name] = parts
    for name in REQUIRED:
        if name not in found:
            raise Doubt(
                f"No column was found for the {name}; say which it is. The columns are {', '.join(columns)}.",
                f"--map {name}=COLUMN",
                tuple(columns),
            )
    return found


def stand_over(names: list[str], below: list[str], rows: list[list[str]]) -> bool:
    """Whether names, some of them empty, stand over several columns each, whose own names follow `below`:
    that has a text in each, also where all `rows` that follow hold numbers."""
    if all(name.strip() for name in names) or len(below) != len(names):
        return False
    if not all(name.strip() and not NUMBER.fullmatch(name.strip()) for name in below):
        return False
    columns = zip(*rows, strict=True)
    return any(all(NUMBER.fullmatch(text.strip()) for text in column) for column in columns)
