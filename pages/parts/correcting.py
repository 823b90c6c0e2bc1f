"""How a city's files were read, put right; its name, and its end."""

from dataclasses import replace
from zoneinfo import available_timezones

import streamlit as st

from crimecast.cities import City, write_city
from crimecast.grids.correcting import correct_city
from crimecast.live.discarding import delete_city, what_goes
from crimecast.reading.files import opened
from crimecast.reading.zones import zone_of
from crimecast.records.correcting import Correction, beside, request_of
from crimecast.records.originals import originals
from crimecast.records.understanding import guess_values
from crimecast.views.records import sample_places
from pages.parts.bin import delete_button
from pages.parts.columns import ORDERS, choose_columns, choose_order
from pages.parts.guarding import guarded
from pages.parts.looking import show_look
from pages.parts.people import operator_button
from pages.parts.text import text

CORRECTED = "corrected"  # what came of it, for the page that is drawn next


def other_zone(city: City) -> None:
    """A button that reads the files again in the zone where the places lie."""
    places = sample_places(city)
    zone = zone_of(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    if zone in available_timezones() and operator_button(
        f"Read its files again in {text(zone)}", icon=":material/schedule:"
    ):
        again_as(city, Correction(zone=zone))


def again_as(city: City, asked: Correction) -> None:
    """Read the city's files again another way, and say what changed."""
    changes = [f"time zone {city.time_zone} → {asked.zone}"] if asked.zone else []
    changes += [f"coordinates {asked.crs}"] if asked.crs else []
    changes += [
        f"dates {said}" for said, order in ORDERS.items() if order and order == asked.date_format
    ]
    changes += ["columns as chosen"] if asked.mapping else []
    with st.spinner("Reading …"):
        result = correct_city(city.name, asked)
    st.session_state[CORRECTED] = {**result, "changes": ", ".join(changes)}
    st.rerun()


def correct(city: City) -> None:
    """How the city's files were read, to be changed, with what they would then give."""
    path, about = originals(city)[0]
    with opened(path) as found:
        columns = found.rows.columns
        start = {**guess_values(found.rows, city), **about.mapping}
        st.caption(
            f"As {text(about.origin)} was read. Change what is wrong: all files are read again, "
            "and grids made before are marked."
        )
        mapping = choose_columns(columns, start, "correct")
        zones = sorted(available_timezones())
        left, middle, right = st.columns(3)
        zone = left.selectbox("Time zone", zones, zones.index(city.time_zone), key="correct_zone")
        known = about.crs or city.file_crs or about.file_crs or "EPSG:4326"
        crs = middle.text_input("Coordinates", known, key="correct_crs").strip()
        with right:
            order = choose_order("correct")
        asked = Correction(
            mapping if mapping != start else None,
            crs if crs != known else None,
            zone if zone != city.time_zone else None,
            order,
        )
        if asked == Correction():
            return
        request = request_of(beside(city, asked), asked.of(city, about, columns))
        guarded(lambda: show_look(found, path.stem, about.origin, request, "correct"))
        if operator_button("Read again", type="primary", icon=":material/refresh:"):
            again_as(city, asked)


def rename(city: City) -> None:
    """The name that is shown of the city."""
    title = st.text_input("Name", city.title, max_chars=80, key=f"title_{city.name}").strip()
    if title and title != city.title and operator_button("Save the name", type="primary"):
        write_city(replace(city, title=title))
        st.rerun()


def gone(city: City) -> None:
    """Delete the city, with all that hangs on it."""
    grids, trained = what_goes(city.name)
    delete_button(
        "Delete the city",
        f"Delete all that is stored of {city.title}: its records, {grids} grid{'s' * (grids != 1)} and {trained} run{'s' * (trained != 1)}?",
        lambda: delete_city(city.name),
    )
