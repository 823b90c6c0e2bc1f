"""By which sign a text's columns are set apart."""

import csv
import re
from collections import Counter
from pathlib import Path

from crimecast import UserError

SAMPLE_LINES = 400
DELIMITERS = ",;\t|^~"


def named(delimiter: str) -> str:
    """The sign that a user named, by itself or by its word. Raises UserError for what is none."""
    mark = {
        "tab": "\t",
        "\\t": "\t",
        "comma": ",",
        "semicolon": ";",
        "pipe": "|",
        "space": " ",
    }.get(delimiter.lower(), delimiter)
    if len(mark.encode()) != 1 or mark in '"\n\r':
        raise UserError(f"'{delimiter}' can't separate fields: give one sign, or tab.")
    return mark


def delimiter_of(path: Path) -> str:
    """The delimiter under which most lines, from all over the file, have the same number of fields."""
    lines = sample(path)
    if lines and (said := re.fullmatch(r'"?sep=(.)"?', lines[0].strip(), re.IGNORECASE)):
        return said[1]  # as Excel writes it
    best, most = ",", 0.0
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        # Commas in decimals cut every line as evenly as semicolons do; what they leave tells.
        score = (
            count / len(widths) * (1 + min(width, 50) / 1000) * _whole(lines, delimiter)
            if width > 1
            else 0.0
        )
        if score > most:
            best, most = delimiter, score
    return best if most or not _spaced(lines) else " "


def _spaced(lines: list[str]) -> bool:
    """Whether spaces separate the fields, as R writes tables: texts are quoted, and all lines have as many
    fields as most, but the first one less where rows are numbered."""
    if len(lines) < 3 or not all('"' in line for line in lines[1:]):
        return False
    widths = [len(row) for row in csv.reader(lines, delimiter=" ")]
    return (
        widths[1] > 2 and set(widths[1:]) == {widths[1]} and widths[0] in (widths[1], widths[1] - 1)
    )


def _whole(lines: list[str], delimiter: str) -> float:
    """How far the first line is cut into names: 1 if none of its parts holds another delimiter."""
    rows = list(csv.reader(lines, delimiter=delimiter))
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    header = next((row for row in rows if len(row) == width), [])
    inside = sum(any(other in cell for other in ";\t|" if other != delimiter) for cell in header)
    return 1.0 - 0.9 * inside / max(1, len(header))


def sample(path: Path) -> list[str]:
    """Lines from the beginning, and from places spread over the file."""
    size = path.stat().st_size
    lines: list[str] = []
    with path.open("rb") as file:
        for place in range(5):
            file.seek(place * size // 5)
            text = file.read(64 * 1024)
            found = text.decode("utf-8", errors="replace").splitlines()
            if place:
                found = found[1:]
            if file.tell() < size:
                found = found[:-1]
            lines += [line for line in found if line.strip()][
                : SAMPLE_LINES if place else 2 * SAMPLE_LINES
            ]
            if size < 64 * 1024:
                break
    return lines
