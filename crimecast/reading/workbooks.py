"""What a workbook says of its cells beside their values, which who reads the values doesn't hear: number formats and
comments that name a clock, and from which year its days count."""

import re
import zipfile
from html import unescape
from pathlib import Path

from crimecast.reading.asides import asides

UTC = re.compile(r"(?<![a-z])(utc|gmt|zulu)(?![a-z])|\"T?\"?hh:mm[^;]*\"?\\?Z\"?", re.I)
LATE = re.compile(r"<workbookPr[^>]*date1904=\"(1|true)\"")
FORMAT = re.compile(r"formatCode=\"([^\"]*)\"")
TEXT = re.compile(r"<(?:\w+:)?(?:t|text)(?: [^>]*)?>([^<]*)<")


def beside_cells(path: Path, sheets: list[str]) -> list[str]:
    """Sentences on a workbook of the newer kind (a zip), whose sheets that are read are named so; none of others."""
    said = [
        one.says for one in asides([name for name in sheets if UTC.search(name)], "A sheet's name")
    ]
    if not zipfile.is_zipfile(path):
        return said
    with zipfile.ZipFile(path) as book:
        texts = {
            name: book.read(name).decode("utf-8", "replace")
            for name in book.namelist()
            if re.search(r"xl/(workbook|styles)\.xml$|xl/(threaded)?comments.*\.xml$", name, re.I)
        }
    if LATE.search(texts.get("xl/workbook.xml", "")):
        said.append(
            "The workbook counts its days from 1904: of columns without a date format, whose numbers are read as days from "
            "1900, every event is four years too early. Give them a date format."
        )
    formats = {unescape(code) for code in FORMAT.findall(texts.get("xl/styles.xml", ""))}
    if named := sorted(code for code in formats if UTC.search(code)):
        said.append(
            f"Cells are shown as times of UTC (their format is {named[0]}), and are read as times of the city: if they are UTC, every event is hours off. "
            "Name their column so, as in time_utc."
        )
    notes = [
        unescape(" ".join(TEXT.findall(text))) for name, text in texts.items() if "omments" in name
    ]
    return said + [one.says for one in asides(notes, "A comment on a cell")]
