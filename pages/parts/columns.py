"""A file or a data set and which of its columns is what: for every page that brings records in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from crimecast.reading.columns import FIELDS
from crimecast.storage.access import permit
from crimecast.storage.store import scratch
from pages.parts.text import text

KINDS = ["csv", "tsv", "txt", "parquet", "json", "geojson", "ndjson", "xlsx", "xls", "gz", "zip"]
# The first words are the fields'.
LABELS = {
    "time": "time (needed)", "longitude": "longitude (needed)", "latitude": "latitude (needed)", "type": "type",
    "source_id": "number of the record",
}  # fmt: skip
ORDERS = {"as found": None, "day first": "dmy", "month first": "mdy", "year first": "ymd"}


@contextmanager
def stored(file: Any) -> Iterator[Path]:
    """An uploaded file under its own name in a folder that lasts as long as the block."""
    permit("read", file.name)
    with scratch() as folder:
        path = Path(folder) / Path(file.name).name
        path.write_bytes(file.getbuffer())
        yield path


def choose_columns(columns: list[str], guessed: dict[str, str], key: str) -> dict[str, str]:
    """Our fields beside the table's columns, as guessed, to be corrected; what is chosen."""
    chosen = {}
    for place, field in zip(st.columns(len(FIELDS)), FIELDS, strict=True):
        options = list(
            dict.fromkeys([*([guessed[field]] if field in guessed else []), "–", *columns])
        )
        label = LABELS[field]
        value = place.selectbox(label, options, key=f"{key}_{field}")
        if value != "–":
            chosen[field] = value
    return chosen


def joined(guessed: dict[str, list[str]]) -> dict[str, str]:
    """Guessed columns as a mapping is written: several joined by +."""
    return {field: "+".join(parts) for field, parts in guessed.items()}


def choose_order(key: str) -> str | None:
    """The order of day and month in the file's dates, where it can't be told from them."""
    chosen = st.selectbox(
        "Dates are written",
        list(ORDERS),
        key=f"{key}_order",
        help="Found from all rows. If they can be read in two ways, choose one.",
    )
    return ORDERS[chosen]


def show_notices(notices: list[dict[str, Any]], read_as: dict[str, str] | None = None) -> None:
    """How a file was read, and what was decided in doubt, left out, or looks wrong."""
    if read_as:
        said = "; ".join(f"{what}: {how}" for what, how in read_as.items())
        st.caption(f"Read as: {text(said)}.")
    for notice in notices:
        st.warning(text(notice["says"]), icon=":material/info:")
