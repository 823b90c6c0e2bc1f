"""New city: from a portal's address or a file to a registry entry, in one page."""

import json
import re
from zoneinfo import available_timezones

import streamlit as st

from crimecast import UserError
from crimecast.cities import City, write_city
from crimecast.cities.city import is_registered, utm_zone, write_outline
from crimecast.crawling.discover import Preview, look_at
from crimecast.reading.columns import REQUIRED
from crimecast.reading.files import opened
from crimecast.records.importing import import_file
from crimecast.records.quarters import naming_columns
from crimecast.records.understanding import Request, guess_values, zone_of_file
from pages.parts.columns import KINDS, choose_columns, choose_order, stored
from pages.parts.frame import frame
from pages.parts.guarding import guarded
from pages.parts.looking import show_look
from pages.parts.people import for_operators, operator_button
from pages.parts.text import text

frame(
    "New city",
    "Give a portal's address or a file; correct what was guessed; the city is added to the registry.",
    about_city=False,
)


NOWHERE = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/Unknown")  # of browsers that don't tell
KINDS_OF_PORTAL = {
    "arcgis": "An ArcGIS layer", "socrata": "A Socrata data set", "ckan": "A CKAN table", "carto": "A table of Carto",
}  # fmt: skip


@st.cache_data(show_spinner="Asking the portal …", ttl=600)
def preview(address: str) -> Preview:
    return look_at(address)


def mapping(columns: list[str], guessed: dict[str, str], tab: str) -> dict[str, str]:
    """Which column is what, with a line that says what is asked."""
    st.caption(
        "Which column is what, as guessed; correct them where they are wrong. Nothing about persons is ever kept."
    )
    return choose_columns(columns, guessed, tab)


def about(tab: str, proposed: str | None = None) -> tuple[str, str, str | None, dict | None]:
    """Name, title, time zone and boundary of the city; the zone is that of its places, else the reader's own, else
    still to be chosen."""
    columns = st.columns(2)
    title = columns[0].text_input("The city's name", placeholder="Seattle", key=f"{tab}_name")
    zones = sorted(available_timezones())
    told = str(st.context.timezone)
    own = told if told in zones and told not in NOWHERE else None
    first = proposed or own
    zone = columns[1].selectbox(
        "Time zone",
        zones,
        index=zones.index(first) if first else None,
        placeholder="Choose where the city lies",
        key=f"{tab}_zone_{proposed}",
    )
    if proposed:
        columns[1].caption(f"The places lie in {text(proposed)}.")
    elif zone is not None and zone == own:
        columns[1].caption("Your own; the city may lie in another.")
    file = st.file_uploader(
        "Boundary, GeoJSON (optional)",
        key=f"{tab}_boundary",
        type=["geojson", "json"],
        help="Cells that meet it are the study area. Without one, those where something happened before.",
    )
    boundary = None
    if file is not None:
        try:
            boundary = json.loads(file.getvalue())
        except (ValueError, RecursionError):
            boundary = None
        if not isinstance(boundary, dict):
            raise UserError(f"{file.name} is not GeoJSON.")
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_"), title, zone, boundary


def done(name: str, said: str) -> None:
    """Say it, and stay with the city that was added."""
    for key in ("grid", "run"):  # of the city before
        st.query_params.pop(key, None)
    st.query_params["city"] = st.session_state["at_city"] = name
    st.success(text(said), icon=":material/check:")
    with st.container(horizontal=True):
        for page, label in (("city", "Go to the city"), ("grid", "Count its records on a grid")):
            st.page_link(
                f"pages/{page}.py", label=label, icon=":material/arrow_forward:", query_params={"city": name},
            )  # fmt: skip


def from_portal() -> None:
    address = st.text_input(
        "Address",
        placeholder="https://data.seattle.gov/d/tazs-3rd5, …/FeatureServer/0 or …/resource/ and an id",
    )
    if not address:
        return
    found = preview(address)
    st.markdown(
        f"{KINDS_OF_PORTAL[found.kind]}: {text(found.dataset)} at {text(found.portal)}. Its first rows:"
    )
    st.dataframe(
        found.rows.to_pandas(), hide_index=True, height=200, alt="First rows of the data set"
    )
    columns = mapping(found.rows.columns, found.guessed, "portal")
    name, title, zone, boundary = about("portal")
    if not name or zone is None:
        st.caption("Give the city a name and a time zone to add it.")
    if operator_button("Add the city", type="primary", disabled=not name or zone is None):
        assert zone is not None
        missing = [field for field in (*REQUIRED, "source_id") if field not in columns]
        if missing:
            raise UserError(f"Choose a column for {', '.join(missing)}.")
        longitude, latitude = found.center(columns["longitude"], columns["latitude"])
        outline = write_outline(name, boundary) if boundary else None
        write_city(
            City(
                name,
                title,
                zone,
                utm_zone(longitude, latitude),
                outline,
                sources=(found.source(columns),),
            )
        )
        done(name, f"{title} is in the registry; crawl it on its page.")


def from_file() -> None:
    file = st.file_uploader("A table of records", type=KINDS)
    if file is None:
        return
    with stored(file) as path, opened(path) as found:
        table = found.rows
        st.dataframe(
            table.head(20).to_pandas(), hide_index=True, height=200, alt="First rows of the file"
        )
        columns = mapping(table.columns, guess_values(table), "file")
        crs = st.text_input(
            "Coordinates are in",
            "EPSG:4326",
            help="EPSG:4326 is longitude and latitude in degrees; UTM zones are EPSG:326xx.",
        )
        order = choose_order("file")
        name, title, zone, boundary = about("file", zone_of_file(table, columns))
        if zone is None:
            st.caption(
                "Choose the time zone: with it a coordinate system can be proposed, and times are read."
            )
            return
        degrees = crs == "EPSG:4326"
        request = Request(
            name if is_registered(name) else "-", columns, None if degrees else crs, zone, order
        )
        guarded(lambda: show_look(found, file.file_id, file.name, request, "file"))
        used = {field: parts.split("+") for field, parts in columns.items()}
        if boundary is None and (named := naming_columns(found.rows, used)):
            st.caption(
                f"Cells will be called after {text(' and '.join(map(repr, named.values())))}, where its records lie together."
            )
        if not name:
            st.caption("Give the city a name to add it.")
        if operator_button("Add the city", type="primary", disabled=not name, key="file_add"):
            outline = write_outline(name, boundary) if boundary else None
            with st.spinner("Reading …"):
                result = import_file(
                    name, path, columns, request.crs, zone,
                    title=title, outline=outline, date_format=order,
                )  # fmt: skip
            lost = sum(result["dropped"].values())
            why = ", ".join(f"{reason} {count:,}" for reason, count in result["dropped"].items())
            done(
                name,
                f"{title}: {result['read']:,} records read, {result['added'] - lost:,} of them can be used"
                + (f"; left out: {why}." if why else "."),
            )


portal, upload = st.tabs(["From a portal", "From a file"])
with portal:
    guarded(for_operators(from_portal))
with upload:
    guarded(for_operators(from_file))
