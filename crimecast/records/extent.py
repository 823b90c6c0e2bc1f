"""A new city's metres and extent: from where its first records lie."""

from dataclasses import replace

import numpy as np

from crimecast.cities import City, write_city
from crimecast.cities.city import check_crs, utm_zone
from crimecast.reading.bounds import Box, inside, placeholders
from crimecast.reading.parts import Parts
from crimecast.reading.thinning import places_of, thinned
from crimecast.records.snapshot import snapshot


def metres(city: City, places: Parts[np.ndarray]) -> City:
    """Give a new city a CRS in metres: the file's own if it is in metres, else its UTM zone."""
    file_crs = check_crs(city.file_crs or "EPSG:4326")
    if (
        file_crs.is_projected
        and file_crs.axis_info[0].unit_name == "metre"
        and file_crs.to_epsg() != 3857
    ):
        return replace(city, crs=str(city.file_crs))
    longitude, latitude = (float(np.median(v)) for v in thinned(places)[0])
    return replace(city, crs=utm_zone(longitude, latitude))


def fix_extent(city: City) -> None:
    """Fix the extent of a city without an outline to where its first records are."""
    events = snapshot(city).scan().select("longitude", "latitude").collect()
    places = places_of(events["longitude"].to_numpy(), events["latitude"].to_numpy())
    _, box = placeholders(places)
    if box is not None:
        write_city(replace(city, bounds=bounds(city, places, box)))


def bounds(
    city: City, places: Parts[np.ndarray], box: Box
) -> tuple[float, float, float, float] | None:
    """The city's extent where no outline is known, fixed at the first import, in metres.

    That of the places within the box that holds the city, rounded outward to a kilometre: neither
    a mistyped place nor what stands for none makes the city a continent.
    """
    lowest, highest = np.full(2, np.inf), np.full(2, -np.inf)
    for part in places:
        metres = np.stack(city.to_metres.transform(*part[:, inside(part, box)]))
        lowest = np.minimum(lowest, metres.min(axis=1, initial=np.inf))
        highest = np.maximum(highest, metres.max(axis=1, initial=-np.inf))
    if not np.isfinite(lowest).all():
        return None
    x0, y0 = np.floor(lowest / 1000) * 1000
    x1, y1 = np.ceil(highest / 1000) * 1000
    return float(x0), float(y0), float(x1), float(y1)
