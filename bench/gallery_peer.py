"""A gallery of 64 channels of 64×64 as tutorials make it: `?kind=pyplot` or `?kind=plotly`.

Started by bench/inspect.py with `streamlit run`, so that both are timed in the same browser.
"""

import matplotlib.pyplot as plt
import numpy as np
import plotly.express as px
import streamlit as st

kind = st.query_params.get("kind", "pyplot")
step = st.slider("Step", 0, 99, 50)
values = np.random.default_rng(step).normal(size=(64, 64, 64))
if kind == "pyplot":
    figure, axes = plt.subplots(8, 8, figsize=(10, 10))
    for axis, channel in zip(axes.flat, values, strict=True):
        axis.imshow(channel, cmap="coolwarm", vmin=-3, vmax=3)
        axis.axis("off")
    st.pyplot(figure)
    plt.close(figure)
else:
    for row in range(8):
        columns = st.columns(8)
        for column, channel in zip(columns, values[8 * row : 8 * row + 8], strict=True):
            made = px.imshow(channel, zmin=-3, zmax=3, height=120)
            made.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, coloraxis_showscale=False)
            column.plotly_chart(made, key=f"{row}-{id(column)}")
st.caption(f"drawn {step}")
