"""One text that names a time of day, with its offset from UTC or its zone, taken apart."""

import re
from dataclasses import dataclass
from functools import lru_cache

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
NIGHT = 30 * HOUR  # until which nights are counted on, in Japan above all
CLOCK = re.compile(
    r"(?:at |um |kl\.? ?|à |@ ?)?(\d{1,2})(?:\s?[:.h]\s?(\d{1,2})(?:\s?[:.m]\s?(\d{1,2}))?s?(?:[.,:](\d{1,9}))?)?\s?"
    r"(?:([ap])\.?\s?m\.?|([ap]))?\s?(?:(?:uhr|hrs?|hs\.?|min\.?|hours|h|u|uur|น\.?|ч\.?|g\.?|台)(?![a-z]))?\s?(.*)"
)
# The half of the day as other languages say it, before the clock or after it: {"a": morning, "p": afternoon}.
HALVES = {
    "a": ["午前", "上午", "早上", "오전", "πμ", "π.μ.", "ص", "öö", "fm", "f.m.", "de", "de.", "ap.", "dop.", "sa", "д.о.", "पूर्वाह्न", "ก่อนเที่ยง", "vorm."],
    "p": ["午後", "下午", "晚上", "오후", "μμ", "μ.μ.", "م", "ös", "em", "e.m.", "du", "du.", "ip.", "odp.", "ch", "п.о.", "अपराह्न", "หลังเที่ยง", "nachm."],
}  # fmt: skip
HALF_OF = {word: half for half, words in HALVES.items() for word in words}
HALF = "|".join(re.escape(word) for word in sorted(HALF_OF, key=len, reverse=True))
HALF_CLOCK = re.compile(rf"(?:({HALF})\s?)?(\d[\d:.\s]*?)\s?({HALF})?")
SIGNS = {
    ord(sign): colon for signs, colon in (("時时点點시分분", ":"), ("秒초", "")) for sign in signs
}
DIGITS = re.compile(r"(\d{2})(\d{2})(\d{2})?(?:[.,](\d+))?(.*)")
OFFSET = re.compile(
    r"(?:utc|gmt|z)?\s?(?:([+\-−])\s?(\d{1,2}):?(\d{2})?(?::?00)?)?\s?(?:\[[\w/+\-]+\]|\([^)]*\))?"
)
BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
# What may stand behind a clock and says nothing of its zone.
REMARKS = {
    "", "local", "local time", "lt", "ortszeit", "est.", "approx", "approx.", "ca.", "circa", "24h", "mon", "tue", "wed", "thu", "fri",
    "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so",
}  # fmt: skip
# Hours from UTC of the abbreviations that portals and programs write; others are no time at all.
NAMED = {
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9,
    "akdt": -8, "hst": -10, "wet": 0, "west": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3,
    "bst": 1, "msk": 3, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3, "art": -3,
}  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """Microseconds since midnight (a whole day for 24:00, more for 25:10 of the night after) and seconds east of UTC,
    None where local."""

    micros: int
    offset: int | None = None


@lru_cache(maxsize=100_000)
def lex(text: str) -> Clock | None:
    """Take one text apart; None if it isn't a time of day.

    Digits alone are a time of day only after a date (`20190101T2345`); a column of them is judged
    as a whole (`numbers.clock_numbers`).
    """
    text = text.strip().strip("\"'").lower().removeprefix("t")
    if not text.isascii():
        text = re.sub(r"^(\d{1,2})[時时点點시]台?$", r"\1:00", text).translate(SIGNS).strip(": ")
    if (match := HALF_CLOCK.fullmatch(text)) and bool(match[1]) != bool(match[3]):
        text = f"{match[2]} {HALF_OF[match[1] or match[3]]}m"
    if match := CLOCK.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        half = match[5] or match[6]
        if match[2] is None and not half:
            match = None  # a number alone
        else:
            return _clock(hour, minute, second, match[4], half, match[7])
    text = re.sub(r"\s?(hrs?|hours|uhr|hs?)\.?$", "", re.sub(r"^kl\.?\s?(?=\d{4})", "", text))
    if match := DIGITS.fullmatch(text):
        return _clock(int(match[1]), int(match[2]), int(match[3] or 0), match[4], None, match[5])
    return None


def _clock(
    hour: int, minute: int, second: int, fraction: str | None, half: str | None, zone: str
) -> Clock | None:
    if half:
        if hour > 23 or (half == "a" and hour > 12):
            return None
        if hour == 12:
            hour = 0 if half == "a" else 12
        elif half == "p" and hour < 12:
            hour += 12
    micros = round(float(f"0.{fraction}") * 1e6) if fraction else 0
    micros += ((hour * 60 + minute) * 60 + second) * 1_000_000
    if minute > 59 or second > 60 or micros >= NIGHT:
        return None
    try:
        return Clock(micros, offset(zone.strip()))
    except ValueError:
        return None


def offset(zone: str) -> int | None:
    """Seconds east of UTC; None without a zone. Raises ValueError for one that isn't known."""
    if not zone:
        return None
    if match := BRACKETED.fullmatch(zone):
        inside = match[1].strip().removeprefix("time ").strip()
        return None if inside in REMARKS else offset(inside)
    if match := OFFSET.fullmatch(zone):
        hours, minutes = int(match[2] or 0), int(match[3] or 0)
        if hours > 14 or minutes > 59:
            raise ValueError(zone)
        seconds = (hours * 60 + minutes) * 60
        return -seconds if match[1] in ("-", "−") else seconds
    if zone in NAMED:
        return NAMED[zone] * 3600
    raise ValueError(zone)
