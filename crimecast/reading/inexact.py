"""Columns that say that places aren't those of the events: withheld, blurred, or found by an address alone."""

import re

import polars as pl

from crimecast.reading.columns import plain

BLURRED = re.compile(
    r"obscured|geoprivacy|jitter|masked|blurred|generali[sz]ed|approximate_?location"
)
HOW_FAR = re.compile(r"uncertainty.*met|positional_?accuracy|(geo|loc|place|coord\w*)_?(accuracy|precision|error)|accuracy_?m(eters|etres)?$")  # fmt: skip
FOUND_BY = re.compile(r"addr_?type|match_?type|location_?type|geocod\w*_?(type|level|quality|precision|accuracy)|loc_?type")  # fmt: skip
COARSE = re.compile(r"^(postal\w*|zip\w*|locality|city|town|district|region|admin\w*|subregion|centroid|approximate|geometric_center|street_?name|neighbou?rhood|county)$")  # fmt: skip
SAID = {"true", "yes", "y", "t", "1", "obscured", "private"}
FAR = 500.0  # metres
FEW = 0.02  # of the rows


def inexact(name: str, values: pl.Series) -> tuple[str, str] | None:
    """What a column that isn't used says of how exact places are, if some aren't those of the events."""
    word = plain(name)
    texts = values.cast(pl.String).str.strip_chars().str.to_lowercase()
    share = 0.0
    if BLURRED.search(word):
        share = float(texts.is_in(list(SAID)).mean() or 0.0)  # type: ignore[arg-type]
    elif HOW_FAR.search(word):
        number = values.cast(pl.Float64, strict=False)
        share = float((number > FAR).sum()) / max(1, len(values))
    elif FOUND_BY.search(word):
        share = float(texts.str.contains(COARSE.pattern).mean() or 0.0)  # type: ignore[arg-type]
    if share < FEW:
        return None
    return (
        "inexact_places",
        f"'{name}' says that {100 * share:.0f} % of the places aren't those of the events, but somewhere near: cells smaller than that show where they were put. Leave such "
        "rows out, or take larger cells.",
    )
