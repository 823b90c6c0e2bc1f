"""One text that names a day (or a month), taken apart; which number is what is judged over all of them.

A text such as 01/02/2020 says three numbers, not which is the day. `Day` keeps the numbers and
the orders in which they can stand; `judge` finds the order that fits every text of a column.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from crimecast import Doubt, UserError
from crimecast.reading.clocks import HALF

ORDERS = ("mdy", "dmy", "ymd", "ydm")
WORDS = {"mdy": "month first", "dmy": "day first", "ymd": "year first", "ydm": "year, day, month"}
BUDDHIST, THAI = (
    543,
    range(2443, 2601),
)  # years ahead of ours in Thailand, and those of 1900 to 2057
PERSIAN = range(1279, 1437)  # the years of 1900 to 2057 in Iran
SHORT_FROM = 1970  # no two digits mean an earlier year
# Of the months as languages begin them; longer beginnings first where a shorter one is another's.
MONTHS = {
    1: "jan jän gen ene janv ian oca sty led янв січ ιαν tammi يناير", 2: "feb fev fév lut úno uno şub sub фев лют φεβ helmi فبراير",
    3: "mar mär maa mrt mrz már bře bre мар бер μαρ maalis مارس", 4: "apr abr avr ápr kwi dub nis апр кві απρ huhti أبريل ابريل",
    5: "may mai mag mei maj mayo máj kvě kve май мая тра μαι μαϊ μαΐ touko مايو", 6: "jun giu juin jún iun cze červen červn cerven cervn haz июн чер ιουν kesä kesa يونيو",
    7: "jul lug juil júl iul lip červene července cervene cervence tem июл лип ιουλ heinä heina يوليو", 8: "aug ago aoû aou sie srp ağu agu авг сер αυγ elo أغسطس اغسطس",
    9: "sep set sze wrz zář zar eyl сен вер σεπ syys سبتمبر", 10: "oct okt ott out paź paz říj rij eki окт жов οκτ loka أكتوبر اكتوبر",
    11: "nov noi lis kas ноя лис νοε marras نوفمبر", 12: "dec dez dic déc des gru pro ara дек гру δεκ joulu ديسمبر",
}  # fmt: skip
BEGINNINGS = sorted(
    ((begin, month) for month, text in MONTHS.items() for begin in text.split() if len(begin) > 2),
    key=lambda entry: -len(entry[0]),
)
EMPTY = {
    "", "-", "--", "na", "n/a", "nan", "nat", "null", "none", "nil", "unknown", "unk", "?", ".", "\\n", "tbd",
    "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "not available", "#n/a", "(null)", "undefined",
}  # fmt: skip

NUMERIC = re.compile(r"(\d{1,4})\s?[-/.年_ ]\s?(\d{1,2})\s?[-/.月_ ]\s?(\d{1,4})\.?日?")
DAY_NAME_YEAR = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)?\.?[-/. ,_]*(?:de |of )?([^\W\d_]{3,12})\.?[-/. ,_]*(?:de |del |of )?'?(\d{4}|\d{2})"
)
NAME_DAY_YEAR = re.compile(
    r"([^\W\d_]{3,12})\.?[-/. _]*(\d{1,2})(?:st|nd|rd|th)?[-/. ,_]+'?(\d{4}|\d{2})"
)
YEAR_NAME_DAY = re.compile(r"(\d{4})[-/. ,_]*([^\W\d_]{3,12})\.?[-/. ,_]*(\d{1,2})")
NAME_YEAR = re.compile(r"([^\W\d_]{3,12})\.?[-/. ,_]*(?:de )?(\d{4})")
YEAR_NAME = re.compile(r"(\d{4})[-/. ,_]*([^\W\d_]{3,12})\.?")
YEAR_MONTH = re.compile(r"(\d{4})[-/._](\d{1,2})")
MONTH_YEAR = re.compile(r"(\d{1,2})[-/._](\d{4})")
COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
WEEK = re.compile(r"(\d{4})-?w(\d{2})(?:-?(\d))?")
ORDINAL = re.compile(r"(\d{4})-(\d{3})")
WEEKDAY = re.compile(
    r"(?:mon|tue|tues|wed|weds|thu|thur|thurs|fri|sat|sun|lun|mar|mer|mié|mie|jeu|jue|ven|vie|sam|sáb|sab|dim|dom|mo|di|mi|do|fr|sa|so)"
    r"(?:day|sday|nesday|rsday|urday|di|es|coles|ves|rnes|ado|ingo|credi|dredi|edi|anche|tag|nstag|ttwoch|nnerstag|eitag|mstag|nntag)?\.?,?\s+"
)
# A weekday in any language, before the number of the day.
WORD_BEFORE = re.compile(r"^[^\W\d_]{2,14}\.?,?\s+(?=\d{1,2}\.?\s)")
# A weekday behind the day, or what says that a year is one: 2019/01/02(水), 3 ocak 2019 perşembe, 2019 r.
AFTER = re.compile(
    rf"(\d)\s?(?:\([^\d)]{{1,12}}\)|[ ,]\s?(?!(?:am|pm|[ap]\.m|{HALF})(?![^\W\d_]))[^\W\d_]{{1,12}}\.?)$"
)


@dataclass(frozen=True)
class Day:
    """What one text says: a settled `ymd`, or three `numbers` with the `orders` they allow.

    `whole` is False where only a month is given (its first day stands for it).
    """

    ymd: tuple[int, int, int] | None = None
    numbers: tuple[int, int, int] = (0, 0, 0)
    orders: tuple[str, ...] = ()
    whole: bool = True
    short_year: bool = False
    sign: str = ""  # that parts the numbers

    def read(self, order: str, latest: int) -> date | None:
        """The day in that order of the numbers; None if there is no such day."""
        if self.ymd is not None:
            year, month, day = self.ymd
        elif order not in self.orders:
            return None
        else:
            parts = dict(zip(order, self.numbers, strict=True))
            year, month, day = parts["y"], parts["m"], parts["d"]
        if self.short_year:
            year = full_year(year, latest)
            if year < SHORT_FROM:
                return None
        try:
            return date(year, month, day)
        except ValueError:
            return None


def full_year(short: int, latest: int) -> int:
    """The year that two digits mean: the last one that isn't later than `latest`."""
    return short + (latest // 100) * 100 - (100 if short > latest % 100 else 0)


def month_number(name: str) -> int | None:
    """1 to 12 of a month's name or its beginning, in the larger languages of Europe."""
    for begin, month in BEGINNINGS:
        if name.startswith(begin):
            return month
    return None


@lru_cache(maxsize=100_000)
def lex(text: str) -> Day | None:
    """Take one text apart; None if it isn't a day in any form that is known."""
    text = text.strip().strip("\"'").lower()
    weekday = WEEKDAY.match(text)
    bare = text[weekday.end() :] if weekday else text
    shorter = re.sub(AFTER, r"\1", text)
    candidates = dict.fromkeys((text, bare, shorter, WORD_BEFORE.sub("", text)))
    for candidate in candidates:
        found = _lex(candidate.strip(" ,").removesuffix("."))
        if found is not None:
            return found
    return None


def _lex(text: str) -> Day | None:
    if match := NUMERIC.fullmatch(text):
        lengths = [len(part) for part in match.groups()]
        numbers = (int(match[1]), int(match[2]), int(match[3]))
        sign = text[match.end(1) : match.start(2)].strip()
        if lengths[0] == 4 and lengths[2] <= 2:
            return Day(numbers=numbers, orders=("ymd", "ydm"), sign=sign)
        if lengths[0] <= 2 and lengths[2] == 4:
            return Day(numbers=numbers, orders=("mdy", "dmy"), sign=sign)
        if lengths[0] <= 2 and lengths[2] == 2:
            orders = ("mdy", "dmy", "ymd") if lengths[:2] == [2, 2] else ("mdy", "dmy")
            return Day(numbers=numbers, orders=orders, short_year=True, sign=sign)
        if lengths[0] == 2 and lengths[2] == 1:
            return Day(numbers=numbers, orders=("ymd",), short_year=True)
        return None
    if match := COMPACT.fullmatch(text):
        return Day((int(match[1]), int(match[2]), int(match[3])))
    for pattern, places in (
        (DAY_NAME_YEAR, (3, 2, 1)), (NAME_DAY_YEAR, (3, 1, 2)), (YEAR_NAME_DAY, (1, 2, 3)),
        (NAME_YEAR, (2, 1, 0)), (YEAR_NAME, (1, 2, 0)),
    ):  # fmt: skip
        match = pattern.fullmatch(text)
        month = month_number(match[places[1]]) if match else None
        if match and month:
            year = match[places[0]]
            day = int(match[places[2]]) if places[2] else 1
            return Day((int(year), month, day), whole=bool(places[2]), short_year=len(year) == 2)
    if match := YEAR_MONTH.fullmatch(text):
        return Day((int(match[1]), int(match[2]), 1), whole=False)
    if match := MONTH_YEAR.fullmatch(text):
        return Day((int(match[2]), int(match[1]), 1), whole=False)
    try:
        if (match := WEEK.fullmatch(text)) and match[3]:
            return _settled(date.fromisocalendar(int(match[1]), int(match[2]), int(match[3])))
        if match := ORDINAL.fullmatch(text):
            first = date(int(match[1]), 1, 1)
            found = first + timedelta(days=int(match[2]) - 1)
            return _settled(found) if found.year == first.year else None
    except (ValueError, OverflowError):
        return None
    return None


def _settled(day: date) -> Day:
    return Day((day.year, day.month, day.day))


def year_of(day: Day) -> int:
    """The year that a text gives, 0 where it is of two digits."""
    if day.short_year:
        return 0
    return day.ymd[0] if day.ymd is not None else max(day.numbers)


def of_thailand(day: Day) -> Day:
    """The same day with its year as ours counts it."""
    if year_of(day) not in THAI:
        return day
    if day.ymd is not None:
        return replace(day, ymd=(day.ymd[0] - BUDDHIST, *day.ymd[1:]))
    one, two, three = (number - BUDDHIST if number in THAI else number for number in day.numbers)
    return replace(day, numbers=(one, two, three))


@dataclass(frozen=True)
class Order:
    """The order of a column's numbers: where the year stands last or short, and where it leads."""

    last: str
    first: str = "ymd"
    says: str = ""  # how sure it is
    doubtful: bool = False

    def read(self, day: Day, latest: int) -> date | None:
        """The day that a text means."""
        if day.ymd is not None or self.last in day.orders:
            return day.read(self.last, latest)
        return day.read(self.first, latest)


def order_of(text: str) -> str:
    """The order that a user names: `dmy`, `day-first`, `dd/mm/yyyy`, `%d/%m/%Y %H:%M`. Raises UserError."""
    plain = text.strip()
    if first := re.match(r"(day|month|year)[- ]?first", plain.lower()):
        return {"day": "dmy", "month": "mdy", "year": "ymd"}[first[1]]
    if "%" in plain:
        letters = re.sub(r"%[^dmybBY]", "", plain).replace("b", "m").replace("B", "m")
    else:
        letters = re.sub(r"[Hh]+.*", "", plain)  # what follows the hour is no month but minutes
    order = "".join(dict.fromkeys(letter for letter in letters.lower() if letter in "dmy"))
    if order not in ORDERS:
        raise UserError(
            f"'{text}' is not an order of day, month and year: use dmy, mdy or ymd, or write it as dd/mm/yyyy."
        )
    return order


def judge(
    found: list[tuple[Day, int]], latest: date, wanted: str | None = None, hint: str | None = None
) -> Order:
    """The order in which all texts are days; `found` pairs each with the number of its rows.

    `wanted` is what the user said, `hint` what was read of the city before. Raises Doubt where
    several orders fit and nothing tells which, or where rows contradict each other.
    """
    leading = [(day, rows) for day, rows in found if "ydm" in day.orders]
    trailing = [(day, rows) for day, rows in found if "mdy" in day.orders]
    _not_turned(leading, trailing)
    first = "ymd"
    if leading:
        fits, _, total = _fits(leading, ("ymd", "ydm"), latest)
        # Nobody writes year, day, month unless the rows say that it can't be otherwise.
        first = "ydm" if fits["ymd"] < 0.9 * total and fits["ydm"] > 0.99 * total else "ymd"
        if wanted in ("ymd", "ydm"):
            first = wanted
    if not trailing:
        return Order(wanted or "mdy", first)
    if all(day.orders == ("ymd",) for day, _ in trailing):
        return Order("ymd", first)
    return _choose(trailing, latest, wanted, hint, first)


def _not_turned(leading: list[tuple[Day, int]], trailing: list[tuple[Day, int]]) -> None:
    """Raises Doubt where a spreadsheet took days up to the 12th for months, and left the others as text: what it
    took begins with the year, or is parted by another sign."""
    whole = [(day, rows) for day, rows in trailing if max(day.numbers) > 99]
    ways = [(whole, leading)] if leading else []
    signs = {day.sign for day, _ in whole}
    for sign in signs if len(signs) == 2 else ():
        own = [(day, rows) for day, rows in whole if day.sign == sign]
        ways.append(([(day, rows) for day, rows in whole if day.sign != sign], own))
    for left, turned in ways:
        after = sum(rows for day, rows in left if max(day.numbers[:2]) > 12)
        parts = [(sorted(day.numbers)[:2], rows) for day, rows in turned]
        before = sum(rows for small, rows in parts if max(small) <= 12)
        alone = after == sum(rows for _, rows in left) and before == sum(rows for _, rows in turned)
        if alone and min(after, before) >= 10:
            raise Doubt(
                f"A spreadsheet has turned the dates: none of {after:,} rows that are written alike is before the 13th, {before:,} others, written in another "
                "way, are all up to the 12th, with day and month exchanged. Export the dates as text and try again."
            )


def _fits(
    days: list[tuple[Day, int]], orders: tuple[str, ...], latest: date
) -> tuple[dict[str, int], int, int]:
    """Rows that each order reads as a day not yet to come, rows on whose day orders differ, and all of them."""
    fits = dict.fromkeys(orders, 0)
    differ = total = 0
    for day, rows in days:
        read = {order: day.read(order, latest.year) for order in orders}
        good = {order: moment for order, moment in read.items() if moment and moment <= latest}
        total += rows if good else 0
        differ += rows if len(set(good.values())) > 1 else 0
        for order in good:
            fits[order] += rows
    return fits, differ, total


def _choose(
    days: list[tuple[Day, int]], latest: date, wanted: str | None, hint: str | None, first: str
) -> Order:
    orders = tuple(o for o in ("mdy", "dmy", "ymd") if any(o in day.orders for day, _ in days))
    fits, differ, total = _fits(days, orders, latest)
    ranked = sorted(orders, key=lambda order: -fits[order])
    best, rival = ranked[0], ranked[1]
    misfits, decisive = total - fits[best], total - fits[rival]
    if wanted in orders:
        if fits[wanted] < 0.99 * total and fits[wanted] < fits[best]:
            raise UserError(
                f"{total - fits[wanted]:,} of {total:,} dates can't be {WORDS[wanted]}; {WORDS[best]} fits "
                f"{fits[best]:,}."
            )
        return Order(wanted, first, "as said")
    if misfits > max(1, 0.005 * total) or (misfits and decisive < 20 * misfits):
        raise Doubt(
            f"Dates are written in two ways: {fits[best]:,} of {total:,} rows can be {WORDS[best]}, "
            f"{decisive:,} can't be {WORDS[rival]}, and {misfits:,} can't be {WORDS[best]}. Make them "
            "alike (year-month-day is never mistaken) and try again."
        )
    if decisive >= 0.01 * total and decisive:
        return Order(
            best,
            first,
            f"{decisive:,} of {total:,} rows can't be otherwise: they would have no such month, or lie ahead",
        )
    if not differ:
        return Order(best, first)
    open_to = tuple(order for order in ranked if total - fits[order] < 0.01 * total)
    if hint in open_to:
        return Order(hint, first, "as in what was read of the city before", doubtful=True)
    if "dmy" in open_to and all(day.sign == "." for day, _ in days):
        return Order("dmy", first, "as dates with dots are written", doubtful=True)
    raise Doubt(
        f"The dates can be {' or '.join(WORDS[order] for order in open_to)}, and no row tells which"
        + (f" (only {decisive:,} of {total:,} do)" if decisive else "")
        + "; say which it is.",
        "--date-format " + " or ".join(open_to),
        open_to,
    )
