"""Whether a record was read before: by its id if that names it, else by its time, place and type."""

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.reading.notice import Notice
from crimecast.records.archive import stored_between, stored_ids
from crimecast.records.events import content_ids, content_key, numbered

FEW = 3  # shared ids from which on it is judged whether they name the same records
ALIKE = 0.3  # share of them that has to tell of the same time or place


def identified(
    city: City,
    table: pl.DataFrame,
    columns: dict[str, list[str]],
    events: pl.DataFrame,
    content: np.ndarray,
) -> tuple[pl.DataFrame, list[Notice]]:
    """The events with ids under which the archive knows them; `content` marks those without an own id.

    Ids that name other records in the archive are no ids but counters that began anew: the rows are
    then told apart by what they say.
    """
    notices: list[Notice] = []
    if not content.all():
        stored = stored_ids(city, events["source_id"]).unique("source_id")
        both = events.join(stored, on="source_id", how="inner", suffix="_stored")
        alike = both.select(
            (pl.col("time") == pl.col("time_stored")).fill_null(False)
            | (
                ((pl.col("longitude") - pl.col("longitude_stored")).abs() < 1e-5)
                & ((pl.col("latitude") - pl.col("latitude_stored")).abs() < 1e-5)
            ).fill_null(False)
        ).to_series()
        if both.height >= FEW and float(alike.mean() or 0.0) < ALIKE:  # type: ignore[arg-type]
            name = columns["source_id"][0]
            notices.append(
                Notice(
                    "ids_reused",
                    f"{both.height:,} ids of '{name}' name other records in the archive: it only counts rows, so records are told apart by time, place and type.",
                    both.height,
                )
            )
            renamed = content_ids(table, columns, events)
            duplicate = events["reason"].eq_missing("duplicate")
            events = events.with_columns(
                renamed.alias("source_id"),
                pl.when(duplicate).then(None).otherwise(pl.col("reason")).alias("reason"),
            )
            content = np.ones(table.height, dtype=bool)
    return (_as_known(city, events, content) if content.any() else events), notices


def _as_known(city: City, events: pl.DataFrame, content: np.ndarray) -> pl.DataFrame:
    """Give each row without an own id that of a stored event that says the same, as often as there are any."""
    kept = events.filter(pl.col("reason").is_null())["time"]
    if kept.is_empty():
        return events
    stored = stored_between(city, kept.min(), kept.max())  # type: ignore[arg-type]
    if stored.is_empty():
        return events
    nothing = pl.lit("")
    key = content_key(nothing, nothing, nothing)
    known = (
        stored.select("source_id", key)
        .select("source_id", numbered("key"))
        .rename({"source_id": "known"})
    )
    own = events.select("source_id", "reason", key).with_columns(numbered("key"))
    joined = own.join(known, on="key", how="left", maintain_order="left")
    use = pl.Series(content) & joined["known"].is_not_null() & joined["reason"].is_null()
    return events.with_columns(
        pl.select(pl.when(use).then(joined["known"]).otherwise(events["source_id"]))
        .to_series()
        .alias("source_id")
    )
