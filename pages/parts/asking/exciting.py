"""The input that is made to excite a channel most, under its peaks."""

import streamlit as st

from crimecast import UserError
from crimecast.runs.run import Run
from crimecast.views.exciting import channel_exciting, exciting_message, inputs_of
from pages.parts.maps import maps
from pages.parts.save import save
from pages.parts.text import text


def exciting(run: Run, layer: str, channel: int) -> None:
    """What excites a channel most, if it is asked for."""
    if not st.toggle(
        "Make the input that excites it most", key="exciting", bind="query-params",
        help="Around the cell of its highest peak, and no less likely than real inputs: three standard deviations from "
        "the mean in the direction that excites it most. Takes seconds.",
    ):  # fmt: skip
        return
    try:
        with st.spinner("Making it …"):
            made = channel_exciting(run.id, run.stamp, layer, channel)
    except UserError as error:
        st.info(text(error), icon=":material/info:")
        return
    inputs = inputs_of(run, made)
    if not inputs:
        st.info("No input within four cells changes it.", icon=":material/info:")
        return
    top = float(made.real.max())
    why = "" if made.value >= top else (
        " Those reach more because the made input stays within three standard deviations of the average, and is average beyond four cells."
    )  # fmt: skip
    st.caption(
        f"It reaches **{made.value:.3g}** at the cell of the highest peak, where the average input gives {made.average:.3g} and "
        f"{len(made.real)} real steps up to {top:.3g}.{why} The maps are the inputs that were changed most, up "
        "to four cells on each side: orange is more than on average, blue less."
    )
    maps(exciting_message(run, made, inputs), key="layer_exciting")
    save(run, f"input that excites {layer} {channel}", {name: values for name, values in inputs})
