"""The lines of a delimited text, and where a record goes over several of them."""

import csv
import re

import numpy as np

LONGEST = 100  # lines over which a quoted field may go


class Lines:
    """The lines of a block of text: where they begin and end, and in which a row stands as it should."""

    def __init__(self, text: bytes, sign: bytes, width: int) -> None:
        self.text = text if text.endswith(b"\n") or not text else text + b"\n"
        self.sign, self.width = sign, width
        self._bytes = np.frombuffer(self.text, dtype=np.uint8)
        self.ends = np.flatnonzero(self._bytes == ord("\n"))
        self.starts = np.append(0, self.ends + 1)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> bytes:
        return self.text[self.starts[number] : self.ends[number]]

    def odd(self, header: bytes) -> np.ndarray:
        """Lines, in order, that aren't a row of `width` fields whose quotes are closed, or may be the header
        again; after them the number of lines."""
        quote, sign = self._bytes == ord('"'), self._bytes == ord(self.sign)
        marks = np.flatnonzero(quote | sign)
        bounds = np.searchsorted(marks, self.starts)
        quotes = np.append(0, np.cumsum(quote[marks]))
        begun = quotes[bounds]  # how many stand before each line
        outside = sign[marks] & ((quotes[1:] - np.repeat(begun[:-1], np.diff(bounds))) % 2 == 0)
        fields = np.diff(np.append(0, np.cumsum(outside))[bounds]) + 1
        good = (fields == self.width) & (np.diff(begun) % 2 == 0)
        if header:
            place = self.text.find(header)
            while place >= 0:
                good[np.searchsorted(self.ends, place)] = False
                place = self.text.find(header, place + 1)
        return np.append(np.flatnonzero(~good), len(self))


def record_at(lines: Lines, number: int) -> tuple[int, bytes, bool]:
    """The record that begins in a line: over how many it goes, its text, and whether it has as many fields as
    it should."""
    text, sign, width = lines[number], lines.sign, lines.width
    if text.count(b'"') % 2 == 0:
        return 1, text + b"\n", fields_of(text, sign) == width
    taken = _spread(lines, number)
    if taken:
        return taken, lines.text[lines.starts[number] : lines.starts[number + taken]], True
    bare = text.replace(b'"', b"")  # a quote within an unquoted field is a letter: 5" pipe
    opened = re.search(rb"(^|" + re.escape(sign) + rb')\s*"', text)
    stray = not opened and bare.count(sign) == width - 1
    return 1, (bare if stray else text) + b"\n", stray


def fields_of(text: bytes, sign: bytes) -> int:
    """Fields of a line whose quotes are closed."""
    parts = text.split(b'"')
    return sum(part.count(sign) for part in parts[::2]) + 1


def _spread(lines: Lines, first: int) -> int:
    """Over how many lines a record goes whose quoted field holds line breaks; 0 if it isn't one."""
    sign, width = lines.sign, lines.width
    text = lines[first]
    for number in range(first + 1, min(first + LONGEST, len(lines))):
        line = lines[number]
        text += b"\n" + line
        if width > 2 and line.count(sign) == width - 1 and b'"' not in line:
            return 0  # a whole row of its own: the quote before it was never closed
        if line.count(b'"') % 2:
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
