"""The registry of cities: one TOML each, those that ship and those that users add."""

from crimecast.cities.city import (
    City,
    Source,
    damaged_entries,
    list_cities,
    load_city,
    write_city,
)

__all__ = ["City", "Source", "damaged_entries", "list_cities", "load_city", "write_city"]
