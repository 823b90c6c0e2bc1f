"""Zones as people call them: by a city, a country's own time, or a part of North America."""

import re
from functools import lru_cache
from zoneinfo import available_timezones

from crimecast.reading.columns import plain

# In words without accents, as `columns.plain` writes them.
CALLED = (
    (r"(^|_)(eastern|us_east)(_|$)", "America/New_York"),
    (r"(^|_)central(_|$)", "America/Chicago"),
    (r"(^|_)mountain(_|$)", "America/Denver"),
    (r"(^|_)pacific(_|$)", "America/Los_Angeles"),
    (r"brasilia", "America/Sao_Paulo"),
    (r"(^|_)(beijing|bac_kinh|peking|pekin)(_|$)|北京", "Asia/Shanghai"),
    (r"日本|(^|_)(japan|jst)(_|$)", "Asia/Tokyo"),
    (r"한국|(^|_)kst(_|$)", "Asia/Seoul"),
    (r"(^|_)(moscow|moskva|msk)(_|$)|(^|_)(москов\w*|москва|мск)(_|$)", "Europe/Moscow"),
    (r"(^|_)(indian?|ist)(_|$)", "Asia/Kolkata"),
    (r"(^|_)(cet|mez|met|mitteleurop\w*)(_|$)", "Europe/Paris"),
)
LETTERS = {"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"}  # fmt: skip
SHORTEST = 5  # letters of a city that no other word has


@lru_cache(maxsize=10_000)
def zone_called(text: str) -> str | None:
    """The zone that a text names, such as `hora de Brasília`, `Time (ET)` or `timestamp_pacific`; None without one."""
    for letters in re.findall(r"\(([A-Z]{2})\)", text):
        if letters in LETTERS:
            return LETTERS[letters]
    words = plain(text)
    for pattern, zone in CALLED:
        if re.search(pattern, words):
            return zone
    cities = _cities()
    return next((zone for city, zone in cities.items() if f"_{city}_" in f"_{words}_"), None)


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """Cities that zones are named after, in small letters; those of continents alone."""
    found = {}
    for zone in sorted(available_timezones()):
        area, _, city = zone.rpartition("/")
        if (
            area in ("Africa", "America", "Asia", "Australia", "Europe", "Pacific")
            and len(city) >= SHORTEST
        ):
            found[city.lower()] = zone
    return found
