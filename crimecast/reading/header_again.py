"""Tables that were put one below the other with their headers: harmless, unless the columns stand in another order."""

import polars as pl

from crimecast import UserError
from crimecast.reading.parts import Rows


def refuse_other_order(rows: Rows, name: str) -> None:
    """Raises UserError where a row of the table `name` holds the names of all columns in another order: what is
    below it would be read as something else."""
    texts = [column for column, kind in rows.schema.items() if kind == pl.String]
    if len(texts) < 3 or len(texts) < len(rows.columns):
        return
    names = [_bare(column) for column in rows.columns]
    first, above = rows.columns[0], 0
    alike = pl.col(first).str.strip_chars().str.to_lowercase().is_in(names)
    if not any(part.select(alike.any()).item() for part in rows.select([first])):
        return
    for part in rows.select(rows.columns):
        for row in part.with_row_index("row of the part").filter(alike).iter_rows():
            values = [_bare(value or "") for value in row[1:]]
            if values != names and sorted(values) == sorted(names):
                raise UserError(
                    f"{name}: row {above + row[0] + 1:,} repeats the header with its columns in another order ({', '.join(row[1:])}), so that what is below "
                    "it would be read as something else. Split the file there and import both parts."
                )
        above += part.height


def _bare(text: str) -> str:
    return text.strip().lower()
