"""A file or a data set and which of its columns is what: for every page that brings records in."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from crimecast.records.columns import FIELDS, REQUIRED
from crimecast.storage.access import permit
from pages.parts.text import text

KINDS = ["csv", "parquet", "json", "geojson", "ndjson"]


@contextmanager
def stored(file: Any) -> Iterator[Path]:
    """An uploaded file under its own name in a folder that lasts as long as the block."""
    permit("read", file.name)
    with tempfile.TemporaryDirectory() as folder:
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
        label = text(field + (" *" if field in REQUIRED else ""))
        value = place.selectbox(label, options, key=f"{key}_{field}")
        if value != "–":
            chosen[field] = value
    return chosen


def joined(guessed: dict[str, list[str]]) -> dict[str, str]:
    """Guessed columns as a mapping is written: several joined by +."""
    return {field: "+".join(parts) for field, parts in guessed.items()}
