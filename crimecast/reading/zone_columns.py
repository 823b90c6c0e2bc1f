"""What a column of time zones, or of offsets from UTC, says against the zone in which times are read."""

import re
from zoneinfo import available_timezones

import polars as pl

from crimecast.reading.abbreviations import of_others, standard_in_name
from crimecast.reading.columns import plain
from crimecast.reading.parts import Parts, Rows
from crimecast.reading.place_columns import spread
from crimecast.reading.zone_names import zone_called
from crimecast.reading.zones import same_clock

OFFSET_PARTS = r"^(?:UTC|GMT)?\s?([-+])?(\d{1,2}):?(\d{2})?$"
ZONE = re.compile(
    r"^((tz|time_?zone)(_?(name|id))?|zone|fuso(_horario)?|huso(_horario)?|fuseau(_horaire)?|zeitzone|tijdzone|strefa(_czasowa)?|часовои_пояс|时区|時區|タイムゾーン|(utc|gmt|tz|time_?zone)_?(off|offset|diff)(_?(m|mins?|minutes|h|hrs?|hours|s|secs?|seconds))?|offset(_?(mins?|minutes|hours))?)$"
)
CLOCKS = {
    "UTC",
    "GMT",
    "Z",
    "ZULU",
    "LOCAL",
    "LT",
    "LOCAL TIME",
}  # what a column of any name may hold
QUARTERS = {0, 30, 45}  # minutes beside the hours, of offsets from UTC


def zone_said(table: Rows, name: str, zone: str, times: Parts[pl.Series]) -> tuple[str, str] | None:
    """What a column of zones or of offsets from UTC says against the city's own zone, in which times are read."""
    texts = spread(table, [name])[name].cast(pl.String).str.strip_chars()
    different = {text for text in texts.unique().to_list() if text}
    clocks = {text.upper() for text in different} <= CLOCKS
    zones = all("/" in text and text in available_timezones() for text in different)
    if not (ZONE.match(plain(name)) or (different and (clocks or zones))):
        return None
    # An abbreviation that the city's own clocks never bear; IST is of several zones.
    named = {
        text for text in texts.unique().to_list()
        if text and ((text in available_timezones() and ("/" in text or (text[-3:].isupper() and len(text) > 5))) or of_others(text, zone))
    }  # fmt: skip
    others = sorted(one for one in named if one.isalpha() or not same_clock(one, zone))
    called = {text: zone_called(text) for text in different} if not others else {}
    others += sorted(text for text, one in called.items() if one and not same_clock(one, zone))
    if others:
        return (
            "named_zone",
            f"'{name}' names the zone {others[0]} in some rows, and isn't used: times are taken as {zone}. If they are that zone's, every event is at a wrong hour.",
        )
    utc = texts.str.to_uppercase().is_in(["UTC", "GMT", "Z", "ZULU"]).fill_null(False)
    if texts.n_unique() > 1 and utc.any() and not same_clock("UTC", zone):
        one, share = str(texts.filter(utc)[0]), 100 * utc.sum() / len(utc)
        return (
            "named_utc",
            f"'{name}' says {one} in {share:.0f} % of the rows, and isn't used: all times are taken as {zone}. If those are UTC's, each is at a "
            "wrong hour: convert them, or import them by themselves.",
        )
    if texts.n_unique() == 1 and (said := standard_in_name(name, zone, times, texts[0])):
        return said[0].code, said[0].says
    if _seconds(texts).null_count() > 0.1 * len(texts):
        return None
    # Offsets that are the city's own at each time show that the times are local.
    away = given = 0
    told = table.column(name).map(lambda part: _seconds(part.cast(pl.String)))
    for stated, time in told.beside(times):
        at = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        own = (at.dt.base_utc_offset() + at.dt.dst_offset()).dt.total_seconds()
        differ = (stated - own).drop_nulls()
        given, away = given + len(differ), away + int((differ.abs() > 60).sum())
    if not given:
        return None
    if away <= 0.02 * given:
        return (
            "named_offset",
            f"'{name}' holds the offsets that {zone} has at these times, such as {texts[0]!r:.20}: they are taken as the city's own. If they are those of UTC, each is "
            "off by that much.",
        )
    return (
        "named_utc",
        f"'{name}' holds offsets from UTC, such as {texts[0]!r:.20}, and isn't used: in {away:,} of {given:,} rows they aren't those of the city's clocks. If "
        "the times are those of UTC, or of another zone, every such event is at a wrong hour.",
    )


def _seconds(texts: pl.Series) -> pl.Series:
    """Offsets such as -0600, UTC+1 or 9 as seconds east of UTC, null for others."""
    parts = (
        texts.str.strip_chars()
        .str.replace("−", "-")
        .str.extract_groups(OFFSET_PARTS)
        .struct.unnest()
    )
    sign, hours, minutes = (parts[column] for column in parts.columns)
    size = (
        hours.cast(pl.Float64, strict=False) * 3600
        + minutes.fill_null("0").cast(pl.Float64, strict=False) * 60
    )
    number = texts.cast(pl.Float64, strict=False)
    most = number.abs().max()
    if not number.has_nulls() and isinstance(most, float):
        if most > 2_400:
            return number
        if not set((number.abs() % 100).to_list()) <= QUARTERS:
            return number * 60.0
    return size * sign.replace_strict({"-": -1.0}, default=1.0, return_dtype=pl.Float64)
