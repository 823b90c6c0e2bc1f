"""The crawl of a city's portal, started, watched and stopped from its page."""

import streamlit as st

from crimecast import UserError
from crimecast.cities import City
from crimecast.crawling.worker import crawl_progress, start_crawl, stop_crawl
from crimecast.runs.progress import time_left
from pages.parts.asked import changed
from pages.parts.columns import choose_order, show_notices
from pages.parts.guarding import part
from pages.parts.people import operator_button
from pages.parts.text import text


def portal_token() -> str | None:
    """The portal's app token from Streamlit's secrets, if there is one."""
    try:
        return st.secrets.get("SOCRATA_APP_TOKEN")
    except FileNotFoundError:
        return None


def crawl_panel(city: City) -> None:
    """What the portal is, and the crawl as it goes on in a process of its own."""
    busy = crawl_progress(city.name).get("state") in ("starting", "crawling")
    part(_crawl_panel, city, every=1 if busy else None)


def _crawl_panel(city: City) -> None:
    if not city.sources:
        st.caption("No portal is known for this city; add a file instead.")
        return
    for source in city.sources:
        span = (
            f"from {source.since}"
            if source.since
            else f"before {source.until}"
            if source.until
            else ""
        )
        st.markdown(text(f"{source.dataset} at {source.portal}" + (f" ({span})" if span else "")))
    progress = crawl_progress(city.name)
    state = progress.get("state")
    if changed(state, f"crawl_{city.name}") == ["crawling"]:
        st.rerun()
    if state == "crawling":
        rows, expected, left = progress["rows"], progress["expected"], progress.get("seconds_left")
        going = f"{rows:,} rows · {progress['rate']:,.0f} a second"
        if left is not None:
            going += f" · {time_left(left)} left"
        st.progress(min(1.0, rows / expected) if expected else 0.0, text=text(going))
        if operator_button("Stop", icon=":material/stop:", key="crawl_stop"):
            stop_crawl(city.name)
        return
    if progress.get("message"):
        told = text(progress["message"])
        if state == "done":
            st.success(told)
        elif state == "failed":
            st.error(told)
        else:
            st.warning(told)
    show_notices(progress.get("notices") or [])
    order = choose_order("crawl") if progress.get("choices") else None
    label = "Crawl again: fetch what is new and what changed" if state == "done" else "Crawl"
    if operator_button(label, icon=":material/cloud_download:", type="primary", key="crawl_start"):
        try:
            start_crawl(city.name, portal_token(), order)
        except UserError as error:
            st.error(text(error), icon=":material/error:")
        st.rerun()
