"""What a cell's forecast can see, does see, and what would be there to see."""

import streamlit as st

from crimecast.cities import City
from crimecast.grids.cube import load_cube
from crimecast.plots.figures import table_figure
from crimecast.runs.run import Run
from crimecast.views import insight
from pages.parts.asking.shared import cell_of, dark, follow
from pages.parts.charts import chart
from pages.parts.maps import maps
from pages.parts.proof import mark
from pages.parts.text import text


def sight(run: Run, city: City, _layer: str, _step: int, _channel: int) -> None:
    """What a cell's forecast can see, does see, and what would be there to see."""
    cell = cell_of(run)
    metres = load_cube(run.grid).cell
    with st.spinner("Looking for what moves the forecast …"):
        field, held, seen = insight.sight(run.id, run.stamp, cell)
        near = insight.excitation(run.grid, run.settings.train)
    columns = st.columns(3)
    columns[0].metric(
        "Its layers reach",
        f"{metres * field.reach(cell) / 1000:.1f} km" if field.reach(cell) else "one cell",
        help="How far beyond the cell the network's layers reach, in its lagged frames and input maps; exact, from the network itself. Blurred memories gather more.",
    )
    columns[1].metric(
        "What moves it lies within",
        f"{metres * held / 1000:.1f} km",
        help="Nine tenths of what moves the forecast. More than its layers reach where its input maps have gathered the past from around, or the statistics of a normalisation carry a little of the whole map.",
    )
    reach = near.reach()
    columns[2].metric(
        "Crimes excite others within",
        f"{metres * reach / 1000:.1f} km" if reach >= 0 else "nowhere",
        help="How far events are followed by more events the next step than four weeks later, beyond chance (Knox ratio).",
    )
    if held > field.reach(cell) and not field.whole:
        st.caption(
            "What lies beyond what its layers can see comes in through its input maps, which have gathered the past from around."
        )
    if field.whole:
        st.caption(f"Through {text(', '.join(field.whole))} it sees the whole map.")
    if field.statistics:
        st.caption(
            f"The statistics of the norms in {text(', '.join(field.statistics))} carry a little of the whole map, which isn't counted here."
        )
    if field.unproven:
        st.caption(
            f":material/help: Not proven: no rule says what {text(', '.join(field.unproven))} sees, so it counts as the whole map."
        )
    mark(run, "forecast")
    left, right = st.columns(2)
    with left:
        moves = insight.rising("what moves its forecast", seen, "square root of the gradient")
        asked = maps(
            insight.maps_message(run, city, [(moves, seen)], f"sight-{run.id}", cell),
            key="layer_sight",
        )
        follow(asked)
    with right:
        st.markdown("**How much more often events follow nearby than by chance**")
        rings = [f"{metres * i / 1000:g} km" for i in range(len(near.ratio))]
        chart(
            table_figure(
                rings,
                [f"{lag} later" for lag in near.lags],
                near.ratio,
                "ratio",
                dark(),
                1.0,
                max(1.05, float(near.ratio.max())),
            ),
            key="near",
            alt="Near-repeat ratio by distance and lag",
        )
