"""City: a city's records – bring them in, see where and when they are, and what was left out."""

import json
from dataclasses import replace

import streamlit as st

from crimecast import UserError
from crimecast.cities import write_city
from crimecast.cities.quarters import quarter_count
from crimecast.cities.streets import street_count, write_streets
from crimecast.plots.figures import bars_figure, counts_figure, coverage_figure, shares_figure
from crimecast.plots.places import places_message
from crimecast.plots.streets import HEIGHT, street_map, tile_server
from crimecast.reading.files import opened
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from crimecast.records.tail import tail
from crimecast.records.understanding import Request, guess_values
from crimecast.views.coverage import by_month, city_coverage
from crimecast.views.records import sample_places
from pages.parts.charts import chart
from pages.parts.columns import KINDS, choose_columns, choose_order, show_notices, stored
from pages.parts.correcting import CORRECTED, correct, gone, other_zone, rename
from pages.parts.crawl import crawl_panel
from pages.parts.frame import frame
from pages.parts.guarding import guarded
from pages.parts.live import live_panel
from pages.parts.looking import show_look
from pages.parts.people import for_operators, operator_button
from pages.parts.places import places as show_places
from pages.parts.text import text

GRAVE = ("zone", "rhythm", "rhythm_known")

here = frame("City", "Where the records come from, what they hold, and what was left out and why.")
city = here.city
held = snapshot(city)


def records() -> None:
    account = held.report()
    total = account["records"]
    columns = st.columns(3)
    columns[0].metric("Records", f"{total:,}")
    columns[1].metric("Used", f"{account['kept']:,}")
    columns[2].metric(
        "Left out", f"{total - account['kept']:,}", help="Every one of them with a reason, below."
    )
    st.page_link(
        "pages/grid.py",
        label="Count them on a grid",
        icon=":material/arrow_forward:",
        query_params=dict(st.query_params),
    )
    left, right = st.columns([3, 2])
    with left:
        places = sample_places(city)
        st.caption(
            f"{len(places):,} of {account['kept']:,} records, evenly drawn. Each dot is one place, never a person."
        )
        dark = st.context.theme.type == "dark"
        server = tile_server()
        if server is not None and st.toggle(
            "Streets", help=f"Pictures of streets from {text(server[1])}, which then learns what part of the map you see."
        ):  # fmt: skip
            st.pydeck_chart(
                street_map(city, places, dark, server[0]),
                key=f"street_map_{city.name}",
                height=HEIGHT,
                alt=f"Records of {city.title} on street maps",
            )
        else:
            show_places(places_message(city, places), f"places_{city.name}")
    with right:
        kinds = list(held.type_counts.items())[:14]
        st.caption("The most frequent types")
        chart(
            bars_figure([k for k, _ in kinds], [n for _, n in kinds], "records"),
            key="types",
            alt="Records by type",
        )
    known = city_coverage(city)
    if known is not None:
        over_time, by_day = st.tabs(
            ["Records a day", "Coverage: every day of every month"], on_change="rerun", key="when"
        )
        if over_time.open:
            chart(
                counts_figure(known.days, known.counts, "records a day"),
                key="days",
                alt="Records by day",
                place=over_time,
            )
        if by_day.open:
            chart(
                coverage_figure(*by_month(known), known.holes, dark),
                key="coverage",
                alt="Records by month and day of the month",
                place=by_day,
            )
        if len(known.holes):
            some = ", ".join(map(str, known.holes[:5])) + (" …" if len(known.holes) > 5 else "")
            st.warning(
                f"Days without any record, where dozens would be expected ({len(known.holes)}): {text(some)}",
                icon=":material/event_busy:",
            )
        if known.tail is not None:
            st.warning(
                f"Records from {text(known.tail)} on are fewer than usual: they were still being reported when they were read. Keep that time out of what is judged.",
                icon=":material/hourglass_bottom:",
            )
    late = tail(city)
    if late is not None:
        st.subheader("How late records come")
        chart(
            shares_figure({"all types": late.share, **late.by_type}, late.settled_after()),
            key="tail",
            alt="Share of a day's records that have come, by days since",
        )
        st.caption(
            f"By {late.crawls:d} days of crawling, up to {text(late.last)}. Forecasts of days to come make up for what is missing."
        )
    st.subheader("What was left out, and why")
    rows = [
        {
            "reason": reason,
            "records": entry["count"],
            "share": 100 * entry["share"],
            "meaning": entry["meaning"],
        }
        for reason, entry in account["dropped"].items()
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "share": st.column_config.NumberColumn(format="%.2f %%"),
            "meaning": st.column_config.TextColumn(width="large"),
        },
        alt="Records left out by reason",
    )
    for reason, entry in account["dropped"].items():
        if entry["examples"]:
            examples = st.expander(
                f"Examples: {text(reason)}", on_change="rerun", key=f"of_{reason}"
            )
            if examples.open:
                examples.dataframe(entry["examples"], hide_index=True, alt=f"Examples of {reason}")


def upload() -> None:
    file = st.file_uploader(
        "A table of records",
        type=KINDS,
        help="A row a record, with a time and a place.",
    )
    if file is None:
        return
    with stored(file) as path, opened(path) as found:
        table = found.rows
        st.dataframe(table.head(5).to_pandas(), hide_index=True, alt="The first rows of the file")
        st.caption("Columns, as guessed; correct them where they are wrong.")
        mapping = choose_columns(table.columns, guess_values(table, city), "map")
        crs = st.text_input(
            "Coordinates",
            city.file_crs or "EPSG:4326",
            help="EPSG:4326 is longitude and latitude in degrees.",
        )
        order = choose_order("map")
        request = Request(city.name, mapping, crs, order=order)
        guarded(lambda: show_look(found, file.file_id, file.name, request, "map"))
        if operator_button("Import", type="primary", icon=":material/upload:"):
            with st.spinner("Reading …"):
                result = import_file(city.name, path, mapping, crs, date_format=order)
            st.session_state["imported"] = result
            st.rerun()


if result := st.session_state.pop(CORRECTED, None):
    st.success(
        f"Files read again: {result['files']:d}, {text(result['changes'])}. Of {result['read']:,} records {result['events']:,} are used.",
        icon=":material/check:",
    )
    show_notices(result["notices"], result["read_as"])
elif result := st.session_state.pop("imported", None):
    st.success(
        f"{result['read']:,} records read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known already.",
        icon=":material/check:",
    )
    show_notices(result["notices"], result["read_as"])
elif (imports := held.imports) and imports[-1].get("notices"):
    told = imports[-1]["notices"]
    # What makes every hour or place wrong is not to be folded away.
    grave = [one for one in told if one["code"] in GRAVE]
    show_notices(grave)
    if any(one["code"] == "zone" for one in grave):
        guarded(lambda: other_zone(city))
    if any(one["code"] != "zone" for one in grave):
        st.caption("Mend it under *Correct, rename or delete*, at the foot of this page.")
    others = [one for one in told if one not in grave]
    notices = f": {len(others):d} notice{'s' * (len(others) != 1)}" if others else ""
    with st.expander(f"How the last file, {text(imports[-1]['origin'])}, was read{text(notices)}"):
        show_notices(others, imports[-1].get("read_as"))
if held.months:
    guarded(records)
else:
    st.info(
        f"{text(city.title)} has no records yet: crawl its portal or add a file below.",
        icon=":material/arrow_downward:",
    )


def groups() -> None:
    """The type groups, editable: a row each."""
    rows = [{"group": name, "types": members} for name, members in city.groups.items()]
    edited = st.data_editor(
        rows, num_rows="dynamic", hide_index=True, key=f"groups_{city.name}",
        column_config={
            "group": st.column_config.TextColumn("Group", required=True),
            "types": st.column_config.MultiselectColumn("Types", options=[*held.type_counts], accept_new_options=True),
        },
    )  # fmt: skip
    chosen = {
        str(row["group"]).strip().lower(): list(row["types"] or [])
        for row in edited
        if row.get("group")
    }
    if chosen != city.groups and operator_button("Save the groups", type="primary"):
        write_city(replace(city, groups={name: types for name, types in chosen.items() if types}))
        st.rerun()


if held.months and not city.simulated:
    grouping = st.expander(
        "Groups of types, as grids can count them", on_change="rerun", key="grouping"
    )
    if grouping.open:
        with grouping:
            guarded(groups)


def streets() -> None:
    """A file of streets, after which cells are called."""
    known = street_count(city.name)
    if quarters := quarter_count(city.name):
        st.caption(f"{quarters:,} quarters are known by the records: cells are called after them.")
    st.caption(
        f"{known:,} streets are known by name: cells are called after the one at their middle."
        if known
        else "With a file of streets, cells are called after the one at their middle: in lists, tables and exports."
    )
    file = st.file_uploader(
        "Streets, GeoJSON", type=["geojson", "json"], key=f"streets_{city.name}",
        help="Lines with a name each, in longitude and latitude, as a city's portal or OpenStreetMap's extracts have them.",
    )  # fmt: skip
    if file is not None and operator_button("Use these streets", type="primary"):
        try:
            document = json.loads(file.getvalue())
        except (ValueError, RecursionError):
            raise UserError(f"{file.name} is not GeoJSON.") from None
        write_streets(city.name, document)
        st.rerun()


if held.months:
    naming = st.expander(
        "Quarters and streets, which cells are called after", on_change="rerun", key="naming"
    )
    if naming.open:
        with naming:
            guarded(for_operators(streets))
if not city.simulated:
    st.subheader("Bring in records")
    ways = ["From the portal", "From a file"]
    crawling, uploading = st.tabs(ways, default=ways[not city.sources])
    with crawling:
        guarded(lambda: crawl_panel(city))
    with uploading:
        guarded(for_operators(upload))
if held.months:
    st.subheader("Live")
    guarded(lambda: live_panel(city))


if not city.simulated and held.months:
    changing = st.expander("Correct, rename or delete", on_change="rerun", key="changing")
    if changing.open:
        with changing:
            guarded(for_operators(lambda: correct(city)))
            guarded(lambda: rename(city))
            guarded(lambda: gone(city))
if city.quirks:
    st.subheader("Worth knowing")
    st.markdown("\n".join(f"- {text(quirk)}" for quirk in city.quirks))
