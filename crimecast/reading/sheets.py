"""A spreadsheet → a table, in a process held to a bound of memory: `python -m crimecast.reading.sheets FILE FOLDER`.

A sheet of a few bytes may span a million rows and sixteen thousand columns, and what reads it makes room
for all of them. Writes FOLDER/rows.parquet, and what there is to say as JSON on standard output.
"""

import json
import re
import sys
from pathlib import Path

import fastexcel
import polars as pl

from crimecast import UserError
from crimecast.machine.limits import hold_to
from crimecast.reading.asides import asides
from crimecast.reading.columns import SHEET, stand_over
from crimecast.reading.containers import check_sheets
from crimecast.reading.workbooks import beside_cells

LINES = 2_000  # of a sheet that may describe the others
MEMORY = 4 * 2**30  # bytes; of the pages that are touched, a sheet that is refused has far fewer


def read_sheet(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """The sheet with most rows, below it those with the same names, such as one a month; and what to say of them."""
    check_sheets(path)
    book = fastexcel.read_excel(path)
    sheets = [
        (name, book.load_sheet(name, header_row=None, dtypes="string").to_polars())
        for name in book.sheet_names
    ]
    filled = [(name, sheet) for name, sheet in sheets if sheet.height > 1 and sheet.width > 1]
    if not filled:
        raise UserError(f"{path.name} holds no rows.")
    name = max(filled, key=lambda entry: entry[1].height)[0]
    read = [(other, _named(part)) for other, part in filled]
    names = dict(read)[name].columns
    alike = [(other, rows) for other, rows in read if rows.columns == names]
    said = []
    if len(alike) > 1:
        said.append(
            f"{len(alike)} sheets have the same columns and are read as one: {_list([other for other, _ in alike])}."
        )
    if hidden := [
        other for other, _ in alike if book.load_sheet(other, n_rows=0).visible != "visible"
    ]:
        said.append(
            f"Hidden sheets are among those that are read: {_list(hidden)}. Delete them if they are older versions."
        )
    said += beside_cells(path, [other for other, _ in alike])
    whole = pl.concat([rows for _, rows in alike])
    again = whole.height - whole.unique().height
    various = whole.select(pl.max_horizontal(pl.all().n_unique())).item()
    if again and various > 0.5 * whole.height:  # with a column of numbers, no two rows are alike
        said.append(
            f"{again:,} rows are the same as an earlier one in all columns, and each is taken for an event: delete copies."
        )
    if others := [other for other, rows in read if rows.columns != names]:
        also = f"The sheet '{name}' is read; not" if len(alike) == 1 else "Not"
        said.append(f"{also} read: {_list(others)}.")
        lines = [
            " ".join(str(value) for value in row if value is not None)
            for other, part in filled if other in others and part.height < LINES
            for row in part.iter_rows()
        ]  # fmt: skip
        said += [one.says for one in asides(lines, "Another sheet")]
    names_of = [other for other, _ in alike]
    if (
        len(alike) > 1
        and SHEET not in names
        and not any(re.search(r"\d", other) for other in names_of)
    ):
        of_each = [pl.repeat(other, rows.height, eager=True) for other, rows in alike]
        whole = whole.with_columns(pl.concat(of_each).alias(SHEET))
    return whole, said


def _list(names: list[str]) -> str:
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")


def _named(sheet: pl.DataFrame) -> pl.DataFrame:
    """A sheet's rows; its names are those of the first row that is as wide as the rest."""
    full = sheet.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32))).to_series()
    usual = int(full.median() or 0)  # type: ignore[arg-type]
    first = int((full >= max(2, 0.6 * usual)).arg_max() or 0)
    rows = [[value or "" for value in row] for row in sheet.slice(first, 50).rows()]
    if len(rows) > 2 and stand_over(rows[0], rows[1], rows[2:]):
        first += 1
    names: list[str] = []
    for number, value in enumerate(sheet.row(first), 1):
        text = str(value).strip() if value is not None else f"column {number}"
        names.append(text if text not in names else f"{text} ({number})")
    table = sheet.slice(first + 1)
    table.columns = names
    empty = table.select(pl.all_horizontal(pl.all().is_null())).to_series()
    return table.filter(~empty)


def main(path: Path, folder: Path) -> int:
    """Exit status 2 and a sentence where the file can't be read."""
    hold_to(MEMORY)
    try:
        rows, said = read_sheet(path)
        rows.write_parquet(folder / "rows.parquet")
        print(json.dumps(said))
        return 0
    except (UserError, fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        reason = str(error).strip().split("\n")[0][:160]
        known = isinstance(error, UserError)
        print(
            json.dumps(
                reason if known else f"{path.name} can't be read as a spreadsheet: {reason}."
            )
        )
        return 2


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
