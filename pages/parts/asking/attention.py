"""What the network attends to: the weights of its softmaxes, as maps where they are of places."""

import streamlit as st

from crimecast.cities import City
from crimecast.plots.figures import table_figure
from crimecast.runs.run import Run
from crimecast.views.attention import pictures, softmaxes
from crimecast.views.insight import maps_message
from pages.parts.asking.shared import cell_of, dark, follow
from pages.parts.charts import chart
from pages.parts.frame import among
from pages.parts.maps import maps
from pages.parts.save import save
from pages.parts.text import text

MOST = 24  # rows and columns of a table


def attention(run: Run, city: City, _layer: str, step: int, _channel: int) -> None:
    """The weights of one softmax for the step."""
    with st.spinner("Running the network …"):
        found = softmaxes(run.id, run.stamp, step)
    if not found:
        st.info("This network attends to nothing: there is no softmax in its forward pass.")
        return
    names = [one.name for one in found]
    name = st.selectbox(
        "Attention in", names, key=among("attention_of", names), format_func=text, width=400
    )
    one = found[names.index(name)]
    cell = cell_of(run)
    drawn = pictures(run, one, cell)
    if drawn:
        st.caption(
            "Where the weights of a cell lie; they sum to one, the mean over heads. Click a cell to ask for another."
            if one.of_places
            else "The weight that each cell gives each of its keys; they sum to one, the mean over heads."
        )
        identity = f"attention-{run.id}-{run.stamp}-{step}-{name}-{cell if one.of_places else ''}"
        follow(maps(maps_message(run, city, drawn, identity, cell), key="attention_maps"))
    else:
        st.caption(
            ":material/help: Not proven: nothing says that these weights are of places, so there is no map. Rows ask, "
            "columns are weighed; each row sums to one. Of more, the first."
        )
        table = one.table()[:MOST, :MOST]
        rows, columns = ([f"{number + 1}" for number in range(size)] for size in table.shape)
        chart(
            table_figure(
                rows, columns, table, "weight", dark(), 0.0, max(float(table.max()), 1e-9)
            ),
            key="attention_table",
            alt="Attention weights, those that ask by those that are weighed",
        )
    save(run, f"attention in {name}", {"weights": one.weights.numpy()})
