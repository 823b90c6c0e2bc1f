"""Delimited text → a table of text: delimiter and header found, broken rows left out and counted.

Files are looked at whole, block by block; what is kept is written anew, to a file beside, so that
one of many gigabytes is never held in memory.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psutil

from crimecast import Doubt, UserError
from crimecast.reading.encodings import as_utf8, blocks
from crimecast.reading.notice import Notice

DELIMITERS = ",;\t|^~"

IN_MEMORY = 5  # times its size that a text takes while it becomes events
SAMPLE_LINES = 400

LONGEST = 100  # lines over which a quoted field may go

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")


def read_delimited(
    path: Path, folder: Path, encoding: str | None = None, delimiter: str | None = None
) -> tuple[pl.DataFrame, list[Notice]]:
    """A file of delimited text as a table of text, with what was found and left out.

    Raises UserError where too many rows don't fit together.
    """
    text = as_utf8(path, folder, encoding)
    notices = list(text.notices)
    mark = _named(delimiter) if delimiter else delimiter_of(text.path)
    cleaned = folder / "cleaned.csv"
    columns, kept, bad, header = _clean(text.path, cleaned, mark)
    if not kept:
        raise UserError(f"{path.name} holds no rows.")
    if len(columns) == 1 and not delimiter and len(bad) > 0.5 * kept:
        raise UserError(f"{path.name} can't be read as CSV: its lines have no delimiter in common.")
    if len(bad) > 0.2 * (kept + len(bad)):
        raise Doubt(
            f"{path.name} can't be read as CSV: {len(bad):,} of {kept + len(bad):,} rows have another number of fields than "
            f"{len(columns)}, the first in line {bad[0]}. Say which sign separates the fields, or mend the file.",
            "--delimiter SIGN",
        )
    if bad:
        some = ", ".join(f"{line:,}" for line in bad[:8]) + (" …" if len(bad) > 8 else "")
        notices.append(
            Notice(
                "bad_rows",
                f"{len(bad):,} rows are left out, since they have too many or too few fields or an unclosed quote: line {some}.",
                len(bad),
            )
        )
    if not header:
        notices.append(
            Notice("no_header", "The first line holds values, not names: the columns are numbered.")
        )
    size = cleaned.stat().st_size
    if size * IN_MEMORY > psutil.virtual_memory().available:
        raise UserError(
            f"{path.name} holds {size / 2**30:,.1f} GB of text, more than this machine's memory takes at once: split it, by "
            "years for instance, and import the parts one after the other."
        )
    try:
        table = pl.read_csv(
            cleaned,
            infer_schema=False,
            separator=mark,
            has_header=False,
            new_columns=columns,
            quote_char='"',
            low_memory=True,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().split("\n")[0][:160]
        raise UserError(f"{path.name} can't be read as CSV: {reason}.") from None
    return table, notices


def _named(delimiter: str) -> str:
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
    lines = _sample(path)
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
    return best


def _whole(lines: list[str], delimiter: str) -> float:
    """How far the first line is cut into names: 1 if none of its parts holds another delimiter."""
    rows = list(csv.reader(lines, delimiter=delimiter))
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    header = next((row for row in rows if len(row) == width), [])
    inside = sum(any(other in cell for other in ";\t|" if other != delimiter) for cell in header)
    return 1.0 - 0.9 * inside / max(1, len(header))


def _sample(path: Path) -> list[str]:
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


def _clean(path: Path, target: Path, mark: str) -> tuple[list[str], int, list[int], bool]:
    """Write the rows that have as many fields as most; the columns, rows kept, lines of the bad, if there are names.

    A record that a quoted field spreads over lines is kept whole; a quote that is never closed
    costs its own line, not the rest of the file.
    """
    head = _sample(path)
    widths = Counter(len(row) for row in csv.reader(head, delimiter=mark))
    width = max(widths.items(), key=lambda item: (item[1], item[0]))[0] if widths else 1
    sign = mark.encode()
    columns: list[str] | None = None
    kept = 0
    bad: list[int] = []
    named = True
    header_text = b""
    rest, line = b"", 0
    with target.open("wb") as out:
        source = blocks(path)
        ended = False
        while not ended:
            block = next(source, b"")
            ended = not block
            rest += block
            cut = len(rest) if ended else rest.rfind(b"\n") + 1
            lines = rest[:cut].split(b"\n")
            if lines[-1] == b"":
                lines.pop()
            # What may go on in the next block is looked at with it.
            whole = len(lines) if ended else max(0, len(lines) - LONGEST)
            taken = 0
            for first, count, record, good in _records(lines, whole, sign, width):
                number, taken = line + first + 1, first + count
                if columns is None:
                    if not record.strip(b" \r\n" + sign + b'"') or (
                        not good and kept == 0 and not _fits_header(record, mark, width)
                    ):
                        continue  # titles above the names
                    names = next(
                        csv.reader([record.decode("utf-8").rstrip("\r\n")], delimiter=mark)
                    )
                    if names[0].lower().startswith("sep=") or sum(
                        not name.strip() for name in names
                    ) > 0.5 * len(names):
                        continue
                    columns, named = _header(names, width, head, mark)
                    header_text = record.strip()
                    if named:
                        continue
                if not good:
                    if record.strip():
                        bad.append(number)
                    continue
                if record.strip() == header_text and named:
                    bad.append(number)
                    continue
                out.write(record if record.endswith(b"\n") else record + b"\n")
                kept += 1
            line += taken
            left = b"\n".join(lines[taken:])
            rest = (left + b"\n" if taken < len(lines) else b"") + rest[cut:]
    return columns or [], kept, bad, named


def _fits_header(record: bytes, mark: str, width: int) -> bool:
    """A header may lack the name of one column: of row numbers before, or of nothing after the last sign."""
    try:
        names = next(csv.reader([record.decode("utf-8").rstrip("\r\n")], delimiter=mark), [])
    except csv.Error:
        return False
    return len(names) == width - 1 and width > 2 and all(name.strip() for name in names)


def _header(names: list[str], width: int, head: list[str], mark: str) -> tuple[list[str], bool]:
    names = [name.strip().strip("\ufeff") for name in names]
    if len(names) == width - 1:
        rows = [row for row in csv.reader(head, delimiter=mark) if len(row) == width]
        trailing = all(not row[-1].strip() for row in rows)
        names = [*names, ""] if trailing else ["", *names]
    values = sum(bool(NUMBER.fullmatch(name)) for name in names)
    named = values < max(2, 0.2 * len(names)) or len(names) == 1
    if not named:
        names = [f"column {number}" for number in range(1, len(names) + 1)]
    seen: Counter[str] = Counter()
    unique = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique, named


def _records(
    lines: list[bytes], until: int, sign: bytes, width: int
) -> Iterator[tuple[int, int, bytes, bool]]:
    """Records that begin before line `until`: first line, how many, the text, and whether it has `width` fields."""
    number = 0
    while number < until:
        text = lines[number]
        if b'"' not in text:
            yield number, 1, text + b"\n", text.count(sign) == width - 1
            number += 1
            continue
        if text.count(b'"') % 2 == 0:
            yield number, 1, text + b"\n", _width(text, sign) == width
            number += 1
            continue
        taken = _spread(lines, number, sign, width)
        if taken:
            yield number, taken, b"\n".join(lines[number : number + taken]) + b"\n", True
            number += taken
        else:
            inside = text.replace(
                b'"', b""
            )  # a quote within an unquoted field is a letter: 5" pipe
            opened = re.search(rb"(^|" + re.escape(sign) + rb')\s*"', text)
            stray = not opened and inside.count(sign) == width - 1
            yield number, 1, (inside if stray else text) + b"\n", stray
            number += 1


def _width(text: bytes, sign: bytes) -> int:
    """Fields of a line whose quotes are closed."""
    parts = text.split(b'"')
    return sum(part.count(sign) for part in parts[::2]) + 1


def _spread(lines: list[bytes], first: int, sign: bytes, width: int) -> int:
    """Over how many lines a record goes whose quoted field holds line breaks; 0 if it isn't one."""
    text = lines[first]
    for number in range(first + 1, min(first + LONGEST, len(lines))):
        text += b"\n" + lines[number]
        if width > 2 and lines[number].count(sign) == width - 1 and b'"' not in lines[number]:
            return 0  # a whole row of its own: the quote before it was never closed
        if lines[number].count(b'"') % 2:
            return number - first + 1 if _parses(text, sign, width) else 0
    return 0


def _parses(record: bytes, sign: bytes, width: int) -> bool:
    """Whether a record over several lines is one row, each of its quotes closed where a field ends."""
    lines = record.decode("utf-8", errors="replace").splitlines(keepends=True)
    try:
        rows = list(csv.reader(lines, delimiter=sign.decode(), strict=True))
    except csv.Error:
        return False
    return len(rows) == 1 and len(rows[0]) == width
