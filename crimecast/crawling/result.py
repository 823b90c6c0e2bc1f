"""What is to be said of a city's records after a crawl, as after an import."""

from typing import Any

from crimecast.cities import City
from crimecast.reading.clocks import DAY
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts
from crimecast.reading.places import zone_notice
from crimecast.reading.plausibility import plausibility
from crimecast.reading.thinning import places_of
from crimecast.records.snapshot import snapshot


def notices_of(city: City, decided: list[Notice]) -> list[dict[str, Any]]:
    """What was `decided` on the way, and what looks wrong in all of the city's records."""
    held = snapshot(city)
    events = held.scan().select("time", "type", "longitude", "latitude").collect()
    found = list(decided)
    if events.height:
        known = places_of(events["longitude"].to_numpy(), events["latitude"].to_numpy())
        if contradiction := zone_notice(known, city.time_zone):
            found.append(contradiction)
        days = bool((events["time"].to_physical() % DAY == 0).all())
        precision = "month" if held.months_only else "day" if days else "minute"
        found += plausibility(Parts.one(events), precision)
    return [notice.plain() for notice in found]
