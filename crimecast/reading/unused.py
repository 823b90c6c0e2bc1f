"""What the columns that are left out seem to say, where that changes what a record means."""

import re

import numpy as np
import polars as pl

from crimecast.reading import words
from crimecast.reading.columns import plain
from crimecast.reading.dates_said import other_dates
from crimecast.reading.halves import tells_halves
from crimecast.reading.inexact import inexact
from crimecast.reading.moments import SAYS_UTC
from crimecast.reading.not_events import no_event
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, nulls
from crimecast.reading.place_columns import spread
from crimecast.reading.unread_clocks import LATER, all_hours, slots_or_parts
from crimecast.reading.unused_together import (
    PIVOTED,
    UTC,
    further_times,
    further_types,
    hours_across,
    marked,
    of_trackers,
    remarks,
    several_zones,
)
from crimecast.reading.zone_columns import ZONE, zone_said

COUNTED = re.compile(
    r"^(n|count|counts|cnt|total|totals|freq|frequency|qty|quantity|anzahl|antal|aantal|cantidad|quantidade|nombre|numero_de_\w+|"
    r"num_\w+|number_of_\w+|no_of_\w+|total_\w+|\w+_count|incidents|crimes|offences|offenses|events|casos|delitos|qtde?|cant|nbr?|nb_\w+|"
    r"n_\w+|quantit\w+|menge|cases|no_cases|occurrences|ocorrencias|ocurrencias|faits|effectif|liczba|pocet|antall|件数|数量)$"
)
PERSONS = re.compile(
    r"victim|suspect|offender|arrest|officer|injur|kill|person|age|weapon|vehicle|casualt|particip|involv|passenger|occupant|patient|wounded|dead|hurt|fatal|teilnehm|beteilig|verletz|bless|herid|lesionad"
)
CLOCK_TEXT = r"^\s*\d{1,2}\s?[:.hH時时]\s?\d{2}\b"
HOURS_TEXT = r"^\s*\d{1,2}\s?(a|à|to|bis|-|–|~|〜)\s?\d{1,2}\s*$"
SIDES = ({"n", "s", "north", "south"}, {"e", "w", "o", "east", "west"})


WITHHELD = r"^\s*(?:[<≤]\s?\d+|\d+\s?-\s?\d+)\s*$"
SORTS = re.compile(r"^(record|row|entry|line)_?(type|kind|class|sort)$")
FEW_SORTS = 8
ENOUGH = 40
SHIFTED = re.compile(r"(date|day|time)s?_?(shift|offset|jitter)|(shift|jitter)\w*_?(days?|hours?)$")
SUPPLEMENT = re.compile(r"suppl|amend|addend|(^|_)(version|revision|rev)(_?(no|nr|num|number))?$")
CORRECTED = re.compile(
    r"(^|_)(correct(ed|ion)?|revis(ed|ion)|amend(ed|ment)?|fixed|rectif\w*|corrig\w*|korrig\w*|berichtigt\w*)(_|$)"
)
QUALITY = re.compile(
    r"geocod\w*_?(score|quality|status|acc\w*|conf\w*|level|type)|match_?(type|score|level|quality)|(loc\w*|place|position)_?(quality|confidence|precision)"
)


def unused(
    table: Rows, found: dict[str, list[str]], precision: str, times: Parts[pl.Series], zone: str
) -> list[Notice]:
    """Notices on columns that no field takes: a number of events a row, or of each type; AM and PM, north and
    south; a time of day (where times are of the `precision` of a day), hours, years or days that aren't those of the `times`; a zone; what says that a row is
    no event."""
    taken = {column for parts in found.values() for column in parts}
    by_day = precision == "day"
    notices = []
    counted = []
    late = any(int((part.dt.hour() > 12).sum()) for part in times)
    of_utc = any(SAYS_UTC.search(plain(name)) for name in found["time"])
    for name in table.columns:
        if name not in taken:
            values = spread(table, [name])[name]
            if not len(values):
                continue
            if (
                (not of_utc and (said := zone_said(table, name, zone, times)))
                or (by_day and (said := all_hours(table, name) or slots_or_parts(name, values)))
                or (said := _said(name, values, by_day, late, "source_id" in found))
                or (said := no_event(name, values))
                or (said := inexact(name, values) or _shifted(name, values))
                or (precision == "minute" and (said := _other_hours(table, name, times)))
                or (said := other_dates(table, name, times))
                or (said := _correction(table, name))
            ):
                notices.append(Notice(*said, table.height))
            if "type" not in found and _is_small_count(name, values):
                counted.append(name)
    if len(counted) >= PIVOTED:
        says = (
            f"{', '.join(repr(name) for name in counted[:4])} look like counts, one column for each type, and aren't used: each row is taken for "
            "one event of one type. Write a row for each event, or bring the counts in as counts."
        )
        notices.append(Notice("pivoted", says, table.height))
    if "type" not in found and (ticked := marked(table, taken)):
        says = (
            f"In each row one of {', '.join(repr(name) for name in ticked[:4])} is marked: they seem to be its type, one column for each, and aren't "
            "used. Write the type in one column."
        )
        notices = [
            *(one for one in notices if one.code != "pivoted"),
            Notice("pivoted", says, table.height),
        ]
    notices += [*hours_across(table, taken), *of_trackers(table, found, zone)]
    notices += [*several_zones(table, found), *further_types(table, found)]
    notices += [*further_times(table, found), *remarks(table, taken)]
    return notices


def _correction(table: Rows, name: str) -> tuple[str, str] | None:
    """What a column says that corrects another, or how good the place of a row is."""
    word = plain(name)
    given = table.height - nulls(table.column(name))[0]
    if not given or PERSONS.search(word):
        return None
    if CORRECTED.search(word):
        return (
            "corrections",
            f"'{name}' holds something in {given:,} of {table.height:,} rows, and isn't used: if it corrects another column, put its values there.",
        )
    if QUALITY.search(word) and spread(table, [name])[name].n_unique() > 1:
        return (
            "place_quality",
            f"'{name}' says how well each place is known, and isn't used: rows that are known by their town or street alone lie in its middle. Leave them out if so.",
        )
    return None


def _shifted(name: str, values: pl.Series) -> tuple[str, str] | None:
    """Says that a column holds by how many days each date was shifted."""
    number = values.cast(pl.Float64, strict=False)
    if not SHIFTED.search(plain(name)) or number.has_nulls() or number.n_unique() < 2:
        return None
    return (
        "shifted_dates",
        f"'{name}' says by how much each date was shifted, and isn't used: the days that are read aren't those of the events. Take it off before the file is brought in.",
    )


def _is_small_count(name: str, values: pl.Series) -> bool:
    number = values.cast(pl.Float64, strict=False)
    if number.has_nulls() or words.CLOCK.search(plain(name)) or PERSONS.search(plain(name)):
        return False
    whole = number.to_numpy()
    small = (whole >= 0) & (whole < 100) & (whole == np.floor(whole))
    return bool(small.all() and (whole == 0).any() and len(np.unique(whole)) > 1)


def _other_hours(table: Rows, name: str, times: Parts[pl.Series]) -> tuple[str, str] | None:
    """What a column of hours says against the hours that were read."""
    word = plain(name)
    if (
        not words.CLOCK.search(word)
        or LATER.search(word)
        or words.LATER.search(word)
        or re.search("respon|durat|length|elapsed|count|num|per_", word)
    ):
        return None
    same = given = 0
    halved = "12" in word
    told = table.column(name).map(lambda part: part.cast(pl.Float64, strict=False))
    for hour, time in told.beside(times):
        whole = hour.is_between(0, 24) & (hour % 1 == 0)
        if not whole.drop_nulls().all():
            return None
        both = whole.fill_null(False) & time.is_not_null()
        given += int(both.sum())
        of_twelve = (hour % 12 == time.dt.hour() % 12) if halved else hour == time.dt.hour()
        same += int((of_twelve & both).sum())
    if given < 20 or same > 0.5 * given:
        return None
    return (
        "hours_contradict",
        f"'{name}' holds hours that are others than those of the times in {given - same:,} of {given:,} rows: the times may be of another zone.",
    )


def _said(
    name: str, values: pl.Series, by_day: bool, late: bool, issued_again: bool
) -> tuple[str, str] | None:
    word = plain(name)
    if words.LENGTH.search(word) or words.LATER.search(word):
        by_day = False  # no clock of what happened
    number = values.cast(pl.Float64, strict=False).drop_nulls()
    if (
        SUPPLEMENT.search(word)
        and not (issued_again and not word.startswith("suppl"))
        and len(number) == len(values)
        and 1 < number.n_unique() < 100
    ):
        return (
            "supplements",
            f"'{name}' seems to number the supplements of a report ({', '.join(f'{v:g}' for v in number.unique().sort().to_list()[:3])}, …), and isn't "
            "used: each row is taken for one event. Leave out the supplements, or choose the report's number for the id.",
        )
    if (
        len(values) >= ENOUGH
        and len(number) == len(values)
        and set(number.to_list()) == {1.0, -1.0}
    ):
        return (
            "cancelled",
            f"'{name}' is 1 in most rows and -1 in {int((number < 0).sum()) / len(number):.0%}, as where a record is taken back, and isn't used: every row is taken for "
            "an event. Leave out those rows and the ones they take back.",
        )
    counted = COUNTED.search(word) and not PERSONS.search(word)
    withheld = values.str.contains(WITHHELD) if counted and values.dtype == pl.String else None
    if counted and len(number) + (int(withheld.sum()) if withheld is not None else 0) > 0.9 * len(values):  # fmt: skip
        whole = number.to_numpy()
        small = (whole >= 0) & (whole == np.floor(whole)) & (whole < 10_000)
        # A number that runs on is a number of the row; one that is always one says nothing.
        if small.mean() > 0.9 and len(np.unique(whole)) > 1 and not (np.diff(whole) > 0).all():
            return (
                "counted_rows",
                f"'{name}' looks like a number of events in each row ({', '.join(f'{v:g}' for v in whole[:3])}, …), and isn't used: "
                "each row is taken for one event. Write a row for each event, or bring the counts in as counts.",
            )
    if ZONE.match(word) and all(
        UTC.match(str(v).strip().lower()) for v in values.unique().to_list()
    ):
        return (
            "named_utc",
            f"'{name}' says that times are those of UTC, and isn't used: if that is so, every event is at a wrong hour. Write the offset behind the time.",
        )
    if (
        by_day
        and words.CLOCK.search(word)
        and not LATER.search(word)
        and len(number) == len(values)
    ):
        whole = number.to_numpy()
        if (whole >= 0).all() and len(np.unique(whole)) > 5 and whole.max() < 240_000:
            return (
                "clock_unread",
                f"'{name}' looks like a time of day, such as {values[0]}, and isn't used: only days are known. Choose it for the time too, behind the day.",
            )
    if values.dtype != pl.String:
        return None
    texts = {text.strip().lower() for text in values.unique().to_list()}
    if not late and tells_halves(values, word):
        return (
            "half_of_day",
            f"'{name}' holds AM and PM, and isn't used: afternoons may be taken for mornings. Write it behind the time.",
        )
    if (
        texts
        and any(texts <= side for side in SIDES)
        and re.search(r"(^|_)(lat\w*|lon\w*|dir\w*|hem\w*|ns|ew|side)(_|$)", word)
    ):
        return (
            "side_of_earth",
            f"'{name}' holds sides of the earth ({', '.join(sorted(texts))}), and isn't used: a sign may be lost. Write it behind the degrees.",
        )
    if SORTS.match(word) and 1 < len(texts) <= FEW_SORTS:
        return (
            "several_sorts",
            f"'{name}' says that rows are of several sorts ({', '.join(sorted(texts)[:4])}), and isn't used: each row is taken for one event. Leave out what is none.",
        )
    if (
        by_day
        and not LATER.search(word)
        and _share(values.str.contains(CLOCK_TEXT) | values.str.contains(HOURS_TEXT)) > 0.8
    ):
        return (
            "clock_unread",
            f"'{name}' holds times of day, such as {values[0]!r:.40}, and isn't used: only days are known. Choose it for the time too, behind the day.",
        )
    if by_day and words.CLOCK.search(word) and not LATER.search(word) and values.n_unique() > 1:
        return (
            "clock_unread",
            f"'{name}' looks like a time of day in a form that isn't known, such as {values[0]!r:.40}: only days are known. Write it as 17:30.",
        )
    return None


def _share(true: pl.Series) -> float:
    return int(true.sum()) / max(1, len(true))
