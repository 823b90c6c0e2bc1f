"""A city's quarters and streets by name, as its own records place them: what cells are called after where no outlines
and no lines of streets are known."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from crimecast.cities.city import City, load_city
from crimecast.storage.store import data_root, replacing, stamp

SIZE = 0.0005  # degrees within which records of one name are one place
FAR = 1.0  # cells from the nearest record of a quarter, from where on a cell isn't called after it


def add_quarters(city: City, found: pl.DataFrame) -> None:
    """Keep where records of each quarter lie, beside what is kept: `kind` (`quarter` or `street`), `name`, `longitude`,
    `latitude`, `records`."""
    path = _file(city.name)
    known = [_stored(path)] if path.exists() else []
    write_quarters(city, pl.concat([*known, found]))


def write_quarters(city: City, found: pl.DataFrame) -> None:
    """The same in place of what is kept."""
    path = _file(city.name)
    if found.is_empty():
        path.unlink(missing_ok=True)
        return
    with replacing(path) as temporary:
        gathered(found).sort("kind", "name", "longitude", "latitude").write_parquet(temporary)


def gathered(found: pl.DataFrame) -> pl.DataFrame:
    """Records of one name that lie within SIZE of one another as one place, at their middle."""
    weight = pl.col("records")
    place = (
        (pl.col(axis) / SIZE).floor().alias(f"{axis}_place") for axis in ("longitude", "latitude")
    )
    middle = ((pl.col(axis) * weight).sum() / weight.sum() for axis in ("longitude", "latitude"))
    return found.group_by("kind", "name", *place).agg(*middle, weight.sum()).select(found.columns)


def quarter_count(name: str) -> int:
    """How many quarters of a city its records name."""
    return len(set(_places(name, "quarter", stamp(_file(name)))[0].tolist()))


def quarter_of(city: City, x: float, y: float, cell: float) -> str | None:
    """The quarter that most records of a square cell name, its middle and side in metres of the city's CRS; of one
    without records that of the nearest, None where that is far."""
    names, places, records = _places(city.name, "quarter", stamp(_file(city.name)))
    if not len(names):
        return None
    away = np.abs(places - (x, y)).max(axis=1)
    within = away <= cell / 2
    if not within.any():
        nearest = int(away.argmin())
        return str(names[nearest]) if away[nearest] <= FAR * cell else None
    return _most(names[within], records[within])


def middle_of(city: City, quarter: str) -> tuple[float, float]:
    """The middle of a quarter's records, in metres of the city's CRS."""
    return _middles(city.name, stamp(_file(city.name)))[quarter]


def street_of(city: City, x: float, y: float, cell: float) -> str | None:
    """The street that most records of a square cell name; None where none does."""
    names, places, records = _places(city.name, "street", stamp(_file(city.name)))
    within = np.abs(places - (x, y)).max(axis=1, initial=0.0) <= cell / 2
    return _most(names[within], records[within]) if within.any() else None


def _most(names: np.ndarray, records: np.ndarray) -> str:
    kinds, which = np.unique(names, return_inverse=True)
    return str(kinds[np.bincount(which, records).argmax()])


def _file(name: str) -> Path:
    return data_root() / "cities" / name / "quarters.parquet"


def _stored(path: Path) -> pl.DataFrame:
    """What is kept; before streets were, it was of quarters."""
    kept = pl.read_parquet(path)
    return (
        kept if "kind" in kept.columns else kept.insert_column(0, pl.lit("quarter").alias("kind"))
    )


@lru_cache(maxsize=8)
def _middles(name: str, at: int) -> dict[str, tuple[float, float]]:
    names, places, records = _places(name, "quarter", at)
    kinds, which = np.unique(names, return_inverse=True)
    total = np.bincount(which, records)
    x, y = (np.bincount(which, records * places[:, axis]) / total for axis in (0, 1))
    return dict(zip(kinds.tolist(), zip(x.tolist(), y.tolist(), strict=True), strict=True))


@lru_cache(maxsize=8)
def _places(name: str, kind: str, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names (N,), places in metres (N, 2) and numbers of records (N,)."""
    if not at:
        return np.array([]), np.empty((0, 2)), np.array([])
    stored = _stored(_file(name)).filter(pl.col("kind") == kind)
    x, y = load_city(name).to_metres.transform(stored["longitude"], stored["latitude"])
    return stored["name"].to_numpy(), np.column_stack([x, y]), stored["records"].to_numpy()
