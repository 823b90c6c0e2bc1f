"""Whether a record was read before: by its id if that names it, else by its time, place and type."""

from pathlib import Path
from tempfile import mkdtemp

import polars as pl

from crimecast.cities import City
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, earlier
from crimecast.records.archive import stored_between, stored_ids
from crimecast.records.events import content_ids, content_key, numbered

FEW = 3  # shared ids from which on it is judged whether they name the same records
SEVERAL = 10
RARE = (
    0.05  # share of rows whose minute and place is another record's, from which on it is no chance
)
ALIKE = 0.3  # share of them that has to tell of the same time or place


def identified(
    city: City, table: Rows, columns: dict[str, list[str]], events: Parts[pl.DataFrame]
) -> tuple[Parts[pl.DataFrame], list[Notice]]:
    """The events (as `read_events` gives them) with ids under which the archive knows them, no two alike.

    Ids that name other records in the archive are no ids but counters that began anew: the rows are
    then told apart by what they say.
    """
    notices: list[Notice] = []
    both = [_met(city, part) for part in events]
    rows, alike = (sum(counted) for counted in zip(*both, strict=True))
    if rows >= FEW and alike < ALIKE * rows:
        name = columns["source_id"][0]
        notices.append(
            Notice(
                "ids_reused",
                f"{rows:,} ids of '{name}' name other records in the archive: it only counts rows, so records are told apart by time, place and type.",
                rows,
            )
        )
        events = events.beside(content_ids(table, columns, events)).map(
            lambda both: _by_content(*both)
        )
    if any(part["reason"].eq_missing("duplicate").any() for part in events):
        number = earlier(events.map(lambda part: part["source_id"]))
        events = events.beside(number).map(lambda both: _apart(*both))
    known = by_month(events).map(lambda part: _as_known(city, part)).kept()
    told = exact = rows = 0
    for part in known:
        again, minutes, own = _told_before(city, part)
        told, exact, rows = told + again, exact + minutes, rows + own
    # The same minute and place by chance is rare where it isn't a full hour.
    if told >= max(SEVERAL, ALIKE * rows) or exact >= max(SEVERAL, RARE * rows):
        says = (
            f"{told:,} of {rows:,} new rows tell of the time and place of a stored record under another id, or as another type: the same records may "
            "have been brought in before, with other ids, rounded places or renamed types. If so, everything is there twice."
        )
        notices.append(Notice("told_before", says, told))
    return known, notices


def _told_before(city: City, events: pl.DataFrame) -> tuple[int, int, int]:
    """Of the rows that are new, how many tell of the minute and place of a stored record, or of its day where
    they know no more; how many of a minute that is no full hour; and all of them."""
    new = events.filter(pl.col("reason").is_null())
    if new.is_empty():
        return 0, 0, 0
    stored = stored_between(city, new["time"].min(), new["time"].max())  # type: ignore[arg-type]
    if stored.is_empty():
        return 0, 0, new.height
    new = new.join(stored.select("source_id"), on="source_id", how="anti")
    place = [pl.col("longitude").round(3), pl.col("latitude").round(3), pl.col("type")]
    # The same minute, whatever the type is called; or the same day or hour of what knows no minute.
    minute = [pl.col("time").dt.truncate("1m"), *place[:2]]
    known = stored.select(minute).unique()
    both = new.select(minute).join(known, on=known.columns, how="semi")
    told, exact = both.height, int((both["time"].dt.minute() != 0).sum())
    for unit in ("1d", "1h"):
        coarse = new.filter(pl.col("time") == pl.col("time").dt.truncate(unit))
        if coarse.height > 0.5 * new.height:
            known = stored.select(pl.col("time").dt.truncate(unit), *place).unique()
            told = max(told, coarse.select("time", *place).join(known, on=known.columns, how="semi").height)  # fmt: skip
    return told, exact, new.height


def _met(city: City, events: pl.DataFrame) -> tuple[int, int]:
    """How many rows have an id that the archive knows, and how many of them tell of the same time or place."""
    if events["content"].all():
        return 0, 0
    stored = stored_ids(city, events["source_id"]).unique("source_id")
    both = events.join(stored, on="source_id", how="inner", suffix="_stored")
    alike = both.select(
        (pl.col("time") == pl.col("time_stored")).fill_null(False)
        | (
            ((pl.col("longitude") - pl.col("longitude_stored")).abs() < 1e-5)
            & ((pl.col("latitude") - pl.col("latitude_stored")).abs() < 1e-5)
        ).fill_null(False)
    ).to_series()
    return both.height, int(alike.sum())


def _by_content(events: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    duplicate = pl.col("reason").eq_missing("duplicate")
    return events.with_columns(
        ids.alias("source_id"),
        pl.lit(True).alias("content"),
        pl.when(duplicate).then(None).otherwise(pl.col("reason")).alias("reason"),
    )


def _apart(events: pl.DataFrame, number: pl.Series) -> pl.DataFrame:
    """The second row of an id gets one of its own among the dropped, so it is counted once."""
    return events.with_columns(
        pl.when(pl.col("reason").eq_missing("duplicate"))
        .then(pl.format("{}#{}", "source_id", number))
        .otherwise(pl.col("source_id"))
        .alias("source_id")
    )


def by_month(events: Parts[pl.DataFrame]) -> Parts[pl.DataFrame]:
    """Events of many parts put together anew, a month a part; those in memory are as they were."""
    folder = events.folder
    if folder is None:
        return events
    own = Path(mkdtemp(dir=folder))
    months: dict[str, list[Path]] = {}
    for number, part in enumerate(events):
        month = pl.col("time").dt.strftime("%Y-%m").fill_null("none")
        for (name,), rows in part.group_by(month.alias("month"), maintain_order=True):
            path = own / f"{name}.{number}.parquet"
            rows.write_parquet(path, compression="lz4")
            months.setdefault(str(name), []).append(path)
    files = [months[name] for name in sorted(months)]
    return Parts(lambda: (pl.concat(map(pl.read_parquet, paths)) for paths in files), folder)


def _as_known(city: City, events: pl.DataFrame) -> pl.DataFrame:
    """Give each row without an own id that of a stored event that says the same, as often as there are any."""
    content = events["content"]
    events = events.drop("content")
    kept = events.filter(pl.col("reason").is_null())["time"]
    if kept.is_empty() or not content.any():
        return events
    stored = stored_between(city, kept.min(), kept.max())  # type: ignore[arg-type]
    if stored.is_empty():
        return events
    nothing = pl.lit("")
    key = content_key(nothing, nothing, nothing)
    number = pl.int_range(pl.len()).over("key")
    known = (
        stored.select("source_id", key)
        .select("source_id", numbered("key", number))
        .rename({"source_id": "known"})
    )
    own = events.select("source_id", "reason", key).with_columns(numbered("key", number))
    joined = own.join(known, on="key", how="left", maintain_order="left")
    use = content & joined["known"].is_not_null() & joined["reason"].is_null()
    return events.with_columns(
        pl.select(pl.when(use).then(joined["known"]).otherwise(events["source_id"]))
        .to_series()
        .alias("source_id")
    )
