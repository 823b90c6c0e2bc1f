"""Delimited text → a table of text: delimiter and header found, broken rows left out and counted.

Files are looked at whole, block by block; what is kept is written anew, to a file beside, so that
one of many gigabytes is never held in memory.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from crimecast import Doubt, UserError
from crimecast.reading.asides import asides
from crimecast.reading.columns import NUMBER, stand_over
from crimecast.reading.delimiters import delimiter_of, named, sample
from crimecast.reading.encodings import as_utf8, blocks
from crimecast.reading.lines import LONGEST, Lines, fields_of, record_at
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, rows_of

AT_ONCE = 2**28  # bytes of text that are read as one table; of more, a part at a time
PART, LINES = 2**26, 100_000  # bytes of each; and lines that are written down together
ASIDES = 60


PRIME = rb"\1" + "″".encode()
MARKUP = re.compile(rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html|table|\?xml|head|body)")
# Minutes, and seconds whose mark is a quote.
SECONDS = re.compile(rb"(\d(?:'|\xe2\x80\xb2|\xe2\x80\x99)\s?\d{1,2}(?:\.\d+)?)\"")


def read_delimited(
    path: Path,
    folder: Path,
    encoding: str | None = None,
    delimiter: str | None = None,
    large: bool = False,
) -> tuple[Rows, list[Notice]]:
    """A file of delimited text as a table of text, with what was found and left out.

    A `large` one is kept in `folder`, in parts. Raises UserError where too many rows don't fit together.
    """
    with path.open("rb") as file:
        if MARKUP.match(file.read(200)):
            raise UserError(
                f"{path.name} is a web page or XML, not a table: save what it shows as CSV."
            )
    text = as_utf8(path, folder, encoding)
    notices = list(text.notices)
    doubled = _doubled(text.path, folder)
    source = _primed(doubled, folder)
    mark = named(delimiter) if delimiter else delimiter_of(source)
    cleaned = Cleaned(folder, path.name, mark, large)
    kept, bad, header = _clean(source, cleaned, mark)
    for made in {source, doubled, text.path} - {path}:
        made.unlink()
    if not kept:
        raise UserError(f"{path.name} holds no rows.")
    width = len(cleaned.columns)
    if width == 1 and not delimiter and len(bad) > 0.5 * kept:
        raise UserError(f"{path.name} can't be read as CSV: its lines have no delimiter in common.")
    if width == 1 and not delimiter and "  " in cleaned.columns[0].strip():
        raise UserError(f"{path.name} seems to have columns of fixed width: save it as CSV.")
    if len(bad) > 0.2 * (kept + len(bad)):
        raise Doubt(
            f"{path.name} can't be read as CSV: {len(bad):,} of {kept + len(bad):,} rows have another number of fields than "
            f"{width}, the first in line {bad[0]}. Say which sign separates the fields, or mend the file.",
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
    notices += asides(cleaned.asides, "The file, beside its rows,")
    return cleaned.rows(), notices


class Cleaned:
    """The rows that are kept of a text: written down, and read as columns of text.

    Those of a large one are read as soon as a part is full, and lie on disk column by column.
    """

    def __init__(self, folder: Path, name: str, mark: str, large: bool) -> None:
        self._folder, self._name, self._mark, self._large = folder, name, mark, large
        self._path = folder / "cleaned.csv"
        self._out = self._path.open("wb")
        self._parts: list[Path] = []
        self._height = self._size = 0
        self.columns: list[str] = []
        self.asides: list[str] = []  # lines that are no rows, the first few

    def write(self, records: bytes) -> None:
        """Add whole records, each with its end of line."""
        self._out.write(records)
        self._size += len(records)
        if self._large and self._size > PART:
            self._take()

    def aside(self, record: bytes) -> None:
        """Keep a line that is no row, for what it may say of them all."""
        if len(self.asides) < ASIDES:
            self.asides.append(record.decode("utf-8", errors="replace").strip().strip('#,;\t "'))

    def rows(self) -> Rows:
        """What was written, as a table."""
        if not self._large:
            return rows_of(self._read())
        if self._size:
            self._take()
        parts, folder = self._parts, self._folder

        def select(names: list[str]) -> Parts[pl.DataFrame]:
            return Parts(
                lambda: (pl.read_parquet(part, columns=names).select(names) for part in parts),
                folder,
            )

        return Rows(select, dict.fromkeys(self.columns, pl.String()), self._height)

    def _take(self) -> None:
        table = self._read()
        self._height += table.height
        self._parts.append(self._folder / f"rows-{len(self._parts)}.parquet")
        table.write_parquet(self._parts[-1], compression="lz4", statistics=False)
        self._out, self._size = self._path.open("wb"), 0

    def _read(self) -> pl.DataFrame:
        self._out.close()
        try:
            table = pl.read_csv(
                self._path,
                infer_schema=False,
                separator=self._mark,
                has_header=False,
                new_columns=self.columns,
                quote_char='"',
                low_memory=True,
            )
            return table.with_columns(_said(table[name]) for name in table.columns)
        except pl.exceptions.PolarsError as error:
            reason = str(error).strip().split("\n")[0][:160]
            raise UserError(f"{self._name} can't be read as CSV: {reason}.") from None


def _said(column: pl.Series) -> pl.Series:
    """Texts that were written as formulas, so that a spreadsheet leaves them as they are: ="007"."""
    if not column.head(200).str.starts_with('="').any():
        return column
    return column.str.replace(r'^="(.*)"$', "$1")


def _doubled(path: Path, folder: Path) -> Path:
    """The text with quotes within a field doubled, where they are written after a backslash, as databases do;
    a backslash at the end of a field, as of a folder, is none."""
    lines = [line for line in sample(path) if '\\"' in line]
    inside = sum(bool(re.search(r'\\"(?!\s*[,;\t|]|\s*$)', line)) for line in lines)
    if not lines or inside < 0.5 * len(lines):
        return path
    return _rewritten(path, folder / "doubled.txt", lambda lines: lines.replace(b'\\"', b'""'))


def _primed(path: Path, folder: Path) -> Path:
    """The text with the marks of seconds, 41°11'38.4"N, as double primes where no field is quoted: to CSV they are quotes."""
    lines = [line for line in sample(path) if SECONDS.search(line.encode())]
    if not lines or any(re.search(r'(^|[,;\t|])"', line) for line in lines):
        return path
    return _rewritten(path, folder / "primed.txt", lambda lines: SECONDS.sub(PRIME, lines))


def _rewritten(path: Path, target: Path, change: Callable[[bytes], bytes]) -> Path:
    """A text with its lines changed, some at a time."""
    rest = b""
    with target.open("wb") as out:
        for block in blocks(path):
            rest += block
            cut = rest.rfind(b"\n") + 1
            out.write(change(rest[:cut]))
            rest = rest[cut:]
        out.write(change(rest))
    return target


def _clean(path: Path, out: Cleaned, mark: str) -> tuple[int, list[int], bool]:
    """Write the rows that have as many fields as most; rows kept, lines of the bad, and if there are names.

    A record that a quoted field spreads over lines is kept whole; a quote that is never closed
    costs its own line, not the rest of the file.
    """
    head = sample(path)
    widths = Counter(len(row) for row in csv.reader(head, delimiter=mark))
    width = max(widths.items(), key=lambda item: (item[1], item[0]))[0] if widths else 1
    kept = 0
    bad: list[int] = []
    named = True
    header = b""
    rest, line = b"", 0
    source = blocks(path)
    ended = False
    while not ended:
        block = next(source, b"")
        ended = not block
        rest += block
        cut = len(rest) if ended else rest.rfind(b"\n") + 1
        lines = Lines(rest[:cut], mark.encode(), width)
        # What may go on in the next block is looked at with it.
        whole = len(lines) if ended else max(0, len(lines) - LONGEST)
        odd = lines.odd(header)
        if ended and whole and not rest.endswith(b"\n") and _cut_off(lines, head, mark):
            whole -= 1
            bad.append(line + whole + 1)
            out.aside(lines[whole])
        number = 0
        while number < whole:
            plain = number
            if out.columns:
                plain = min(int(odd[np.searchsorted(odd, number)]), whole, number + LINES)
            if plain > number:
                out.write(lines.text[lines.starts[number] : lines.starts[plain]])
                kept += plain - number
                number = plain
                continue
            first = number
            count, record, good = record_at(lines, number)
            number += count
            if not out.columns:
                if not record.strip(b' \r\n"' + mark.encode()) or (
                    not good and not _fits_header(record, mark, width)
                ):
                    out.aside(record)
                    continue  # titles above the names
                names = next(csv.reader([record.decode("utf-8").rstrip("\r\n")], delimiter=mark))
                if names[0].lower().startswith("sep=") or sum(
                    not name.strip() for name in names
                ) > 0.5 * len(names):
                    out.aside(record)
                    continue
                if number < whole and _over(names, record_at(lines, number)[1], head, mark):
                    continue
                out.columns, named = _header(names, width, head, mark)
                if named:
                    header = record.strip()
                    odd = lines.odd(header)
                    continue
            if not good or (named and record.strip() == header):
                if record.strip():
                    bad.append(line + first + 1)
                    out.aside(record)
                continue
            out.write(record)
            kept += 1
        line += number
        rest = lines.text[lines.starts[number] :] + rest[cut:]
    return kept, bad, named


def _cut_off(lines: "Lines", head: list[str], mark: str) -> bool:
    """Whether a text ends within its last field: it is the beginning of what stands in other rows, which are
    few different ones, or has two decimals less than any."""
    if len(lines) < 2 or fields_of(lines[len(lines) - 1], mark.encode()) != lines.width:
        return False
    text = lines[len(lines) - 1].decode("utf-8", errors="replace")
    last = text.rpartition(mark)[2].strip()
    others = [row.rpartition(mark)[2].strip() for row in head[1:] if row != text]
    if len(others) < 20 or last in others:
        return False
    if NUMBER.fullmatch(last):
        decimals = [len(other.partition(".")[2]) for other in others if NUMBER.fullmatch(other)]
        return len(decimals) == len(others) and len(last.partition(".")[2]) < min(decimals) - 1
    kinds = set(others)
    return len(kinds) < 0.2 * len(others) and any(kind.startswith(last) for kind in kinds - {last})


def _fits_header(record: bytes, mark: str, width: int) -> bool:
    """A header may lack the name of one column: of row numbers before, or of nothing after the last sign."""
    try:
        names = next(csv.reader([record.decode("utf-8").rstrip("\r\n")], delimiter=mark), [])
    except csv.Error:
        return False
    return len(names) == width - 1 and width > 2 and all(name.strip() for name in names)


def _over(names: list[str], following: bytes, head: list[str], mark: str) -> bool:
    below = next(csv.reader([following.decode("utf-8").rstrip("\r\n")], delimiter=mark), [])
    rows = [row for row in csv.reader(head, delimiter=mark) if len(row) == len(names)]
    return stand_over(names, below, rows[2:])


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
