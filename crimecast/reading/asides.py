"""What a file says beside its records, in lines of comment, footers, other sheets, a README, metadata: read by nobody,
so it is repeated where it may change what a record means."""

import re
from collections.abc import Iterable
from typing import Any

from crimecast.reading.notice import Notice

TELLING = re.compile(
    r"\b(utc|gmt|zulu|time ?zones?|timezone|local time|standard time|daylight|dst|summer time|nad ?\d\d|datum|epsg|srid|crs|wgs ?84|etrs ?89|"
    r"shift(ed)?|jitter(ed)?|anonymi[sz]\w*|obfuscat\w*|obscur\w*|privacy|masked|perturb\w*|random(ly)?|sampled?|subset|truncated|limit(ed)? to|"
    r"round(ed)?|approximat\w*|mid ?points?|block level|centroids?|provisional|preliminary|incomplete|estimated|simulated|synthetic|test data)\b",
    re.I,
)
LONGEST, MOST = 240, 3
# Keys under which services say how many records there are in all.
TOTALS = {"total", "totalcount", "total_count", "totalrecords", "numbermatched", "totalhits", "nhits", "recordstotal"}  # fmt: skip
CUT_OFF = {"exceededtransferlimit"}


def asides(texts: Iterable[str], where: str) -> list[Notice]:
    """A notice that repeats what of these texts may change what a record means, if anything does."""
    found = [" ".join(text.split()) for text in texts if TELLING.search(text)]
    if not found:
        return []
    some = "; ".join(f"“{text[:LONGEST]}”" for text in found[:MOST])
    says = f"{where} says {some}. It isn't acted on: see whether it changes what time or place is meant, or how many there are."
    return [Notice("file_says", says, 0)]


def around(document: Any, rows: int) -> list[Notice]:
    """What a JSON document says around its records, of which it holds `rows`: that they aren't all, and what may
    change their meaning."""
    notices, texts = [], []
    for key, value in _scalars(document):
        name = key.rpartition("/")[2].lower()
        if name in CUT_OFF and value is True:
            says = f"'{key}' says that there are more records than these {rows:,}: the service cut its answer off. Crawl it, or ask for the rest."
            notices.append(Notice("incomplete", says, rows))
        whole = name in TOTALS or key.lower().endswith("hits/total/value")
        if whole and isinstance(value, int) and not isinstance(value, bool) and value > rows:
            says = f"'{key}' says that there are {value:,} records, of which these are {rows:,}: ask for the rest too."
            notices.append(Notice("incomplete", says, rows))
        if (
            isinstance(value, str) and len(value) < 2_000 and not key.startswith("crs/")
        ):  # read by itself
            texts.append(f"{name}: {value}")
    return notices + asides(texts, "The document")


def _scalars(value: Any, path: str = "", depth: int = 0) -> Iterable[tuple[str, Any]]:
    """The values of an object that are no lists, by the names that lead to them."""
    if not isinstance(value, dict) or depth > 3:
        return
    if sum(isinstance(entry, dict) for entry in value.values()) > 30:
        return  # records below their names
    for key, entry in list(value.items())[:200]:
        own = f"{path}/{key}" if path else str(key)
        if isinstance(entry, dict):
            yield from _scalars(entry, own, depth + 1)
        elif not isinstance(entry, list):
            yield own, entry
