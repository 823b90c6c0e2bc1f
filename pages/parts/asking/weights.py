"""A layer's weights."""

import math

import streamlit as st

from crimecast.cities import City
from crimecast.plots.figures import (
    bars_figure,
    table_figure,
)
from crimecast.plots.memories import memories_figure
from crimecast.runs.run import Run
from crimecast.views import insight, remembered
from pages.parts.asking.shared import dark
from pages.parts.charts import chart
from pages.parts.save import save
from pages.parts.text import text


def weights(run: Run, _city: City, layer: str, _step: int, channel: int) -> None:
    """The layer's weights: norms, spectrum, change, kernels."""
    own = insight.layer_weights(run.id, run.stamp, layer)
    found = remembered.remembered(run.id, run.stamp, layer)
    if found is not None:
        st.caption(text(remembered.in_words(found)) + " Lines show how they moved in training.")
        chart(
            memories_figure(*found), key=f"memories_{layer}",
            alt="How long each memory lasts and how far it reaches",
        )  # fmt: skip
    if not own and found is None:
        st.caption(f"{text(layer)} has no weights.")
    elif own:
        save(run, f"weights of {layer}", {one.name: one.values for one in own})
    for one in own:
        st.markdown(
            f"**{text(one.name)}** · {text('×'.join(map(str, one.values.shape)))} · moved {100 * one.change:.0f} % of its length since the start"
            if math.isfinite(one.change)
            else f"**{text(one.name)}** · {text('×'.join(map(str, one.values.shape)))}"
        )
        left, right = st.columns(2)
        chart(
            bars_figure(
                [str(i) for i in range(len(one.norms))], one.norms.tolist(), "norm of each channel"
            ),
            key=f"norm_{one.name}",
            alt="Norm of each output channel's weights",
            place=left,
        )
        chart(
            bars_figure(
                [str(i + 1) for i in range(len(one.spectrum))],
                one.spectrum.tolist(),
                "singular values",
            ),
            key=f"spectrum_{one.name}",
            alt="Singular values",
            place=right,
        )
        sizes = one.kernel(channel)
        if sizes is not None:
            names, sizes, count = insight.taken_by(run.id, run.stamp, layer, sizes)
            st.caption(
                f"What channel {channel:d} takes from each input, the largest first"
                + (f" ({len(names):d} of {count:d})" if count > len(names) else "")
            )
            chart(
                table_figure(
                    names,
                    [str(i) for i in range(sizes.shape[1])],
                    sizes,
                    "size of the weight",
                    dark(),
                    0.0,
                    float(sizes.max()) + 1e-12,
                ),
                key=f"kernel_{one.name}",
                alt="The kernel of the chosen channel",
            )
