"""Correcting how a city's records were read, and marking the grids that were made of the old reading."""

from datetime import UTC, datetime
from typing import Any

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.grids.grid import outdate
from crimecast.records.correcting import Correction, read_again
from crimecast.storage.store import data_root


def correct_city(name: str, correction: Correction) -> dict[str, Any]:
    """Read a city's files again; its grids, and so the runs on them, are marked as of the old reading.

    Raises UserError while the city is live, and as `read_again` does.
    """
    city = load_city(name)
    if city.simulated:
        raise UserError(f"{city.title} comes with the app, records and all: it stays.")
    if (data_root() / "live" / name / "plan.json").exists():
        raise UserError(f"{city.title} is live: end that before correcting its records.")
    done = read_again(name, correction)
    return {**done, "outdated": outdate(name, f"{datetime.now(UTC):%Y-%m-%d}")}
