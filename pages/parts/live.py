"""What is live in a city: whether its rounds are done by themselves, and by which rules."""

from dataclasses import replace

import streamlit as st

from crimecast.cities import City, write_city
from crimecast.grids.grid import list_grids
from crimecast.live import keeper
from crimecast.live.plan import go_live, last_round, plan_of, put_first
from crimecast.live.retraining import last_of
from pages.parts.people import operator_button
from pages.parts.text import text

SWITCHES = {
    "click": "when somebody says so",
    "better": "once it has done better on sealed forecasts",
}


def live_panel(city: City) -> None:
    """The switch of the daily round, and its rules."""
    if not list_grids(city.name):
        st.caption("Count its records on a grid first: that is what is forecast on.")
        return
    plan = plan_of(city.name)
    rules = plan.rules if plan else None
    st.caption(
        "A round brings in what is new, scores the forecasts whose days have come, and seals those of the next "
        "days before they come. Each day is done once, however often it is asked for."
    )
    ways = list(SWITCHES)
    left, right = st.columns(2)
    on = left.toggle(
        "Do the rounds by themselves", bool(rules and rules.on), key=f"live_on_{city.name}",
        help="While this server's machine runs; after missed days one round catches up.",
    )  # fmt: skip
    at_drift = right.toggle(
        "Train anew at drift", bool(rules and rules.at_drift), key=f"live_drift_{city.name}",
        help="When the first run falls behind a simple forecast, or more or fewer events come than it expects.",
    )  # fmt: skip
    every = left.number_input(
        "Hours between rounds", 0.25, 168.0, rules.every if rules else 6.0, 1.0,
        format="%g", key=f"live_every_{city.name}",
    )  # fmt: skip
    retrain = right.number_input(
        "Train anew after … days", 0, 3650, rules.retrain if rules else 0, key=f"live_retrain_{city.name}",
        help="The same design on all that has come, as a run of its own; 0 is never. The old run forecasts on beside it.",
    )  # fmt: skip
    settles = left.number_input(
        "Records go on arriving for … days", 0, 365, city.settles, key=f"live_settles_{city.name}",
        help="Those days are forecast, not taken as they are. Once rounds have seen how late records come, they say it better.",
    )  # fmt: skip
    switch = right.selectbox(
        "The new one takes its place", ways, ways.index(rules.switch if rules else "click"),
        format_func=SWITCHES.__getitem__, key=f"live_switch_{city.name}",
        help="Sealed forecasts are compared by a test that may be looked at every day.",
    )  # fmt: skip
    asked = {"on": on, "every": every, "retrain": int(retrain), "at_drift": at_drift, "switch": switch}  # fmt: skip
    new = rules is None or any(getattr(rules, name) != value for name, value in asked.items())
    if (new or settles != city.settles) and operator_button(
        "Save", icon=":material/schedule:", type="primary", key="live_save"
    ):
        go_live(city.name, rules=asked)
        if settles != city.settles:
            write_city(replace(city, settles=int(settles)))
        keeper.ensure()
        st.rerun()
    if plan is not None:
        st.markdown(f"Forecast by **{text(', '.join(plan.names))}** on {text(plan.grid)}.")
    told = last_round(city.name)
    if told.get("failed"):
        st.error(text(told.get("said", "")))
    elif told:
        st.info(text(told.get("said", "")))


def take_over(city: str) -> None:
    """A run that was trained anew, and the button by which it takes the old one's place."""
    last, plan = last_of(city), plan_of(city)
    if last is None or plan is None or plan.names[0] == last.fork:
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    waits = "" if last.fork in plan.names else " It joins once it is trained."
    left.markdown(
        f"{text(last.of)} was trained anew as **{text(last.fork)}**: {text(last.why)}.{waits}"
    )
    if last.fork in plan.names:
        with right:
            if operator_button("Use it from now on", icon=":material/swap_horiz:", key="take_over"):
                put_first(city, last.fork)
                st.rerun()
