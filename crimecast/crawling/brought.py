"""Which records a data set's crawls have brought: a page of ids beside every page merged.

The portal's counts are compared with these, and what it no longer has is found by them.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from crimecast.storage.store import replacing

SCHEMA = {
    "source_id": pl.String,
    "event": pl.String,  # where several rows are one event, its id
    "month": pl.String,
    "counted": pl.Boolean,
    "round": pl.Int64,  # of the full crawls, the one that met it last
}


@dataclass(frozen=True)
class Brought:
    """The ids under `folder`, in the order in which they came; of one id, the last page counts."""

    folder: Path

    def _pages(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def all(self) -> pl.DataFrame:
        """Every record once, with the columns of SCHEMA."""
        pages = self._pages()
        if not pages:
            return pl.DataFrame(schema=SCHEMA)
        return pl.read_parquet(pages).unique("source_id", keep="last", maintain_order=True)

    def counted(self, events: pl.Series) -> pl.DataFrame:
        """source_id and event of the records that were counted for these events.

        Only they are held, not the history.
        """
        pages = self._pages()
        if not pages:
            return pl.DataFrame(schema=SCHEMA).select("source_id", "event")
        same = pl.scan_parquet(pages).filter(pl.col("event").is_in(events.implode()))
        last = same.unique("source_id", keep="last", maintain_order=True)
        return last.filter("counted").select("source_id", "event").collect()

    def month_counts(self, theirs: dict[str, int]) -> dict[str, int]:
        """How many records of each month were brought.

        Counted page by page first: only if that differs from `theirs` are records that came twice,
        which a million ids must be held to tell, looked for.
        """
        pages = self._pages()
        counts: dict[str, int] = {}
        for page in pages:
            months = pl.read_parquet(page, columns=["month"])["month"].drop_nulls()
            for month, count in months.value_counts().rows():
                counts[month] = counts.get(month, 0) + count
        if counts == theirs or not pages:
            return counts
        ids = pl.concat(
            [
                pl.read_parquet(p, columns=["source_id", "month"]).with_columns(
                    pl.col("source_id").hash()
                )
                for p in pages
            ]
        )
        last = ids.unique("source_id", keep="last", maintain_order=True).drop_nulls("month")
        return dict(last.group_by("month").len().rows())

    def remember(self, seen: pl.DataFrame) -> None:
        """Note what was brought now, after what was before."""
        self.folder.mkdir(exist_ok=True)
        number = len(self._pages())
        with replacing(self.folder / f"{number:06d}.parquet") as temporary:
            seen.write_parquet(temporary)

    def forget(self, ids: pl.Series) -> None:
        """Take these records out."""
        left = self.all().filter(~pl.col("source_id").is_in(ids.implode()))
        with replacing(self.folder) as temporary:
            temporary.mkdir()
            left.write_parquet(temporary / "000000.parquet")
