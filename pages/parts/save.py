"""Saving what a view shows: pictures come from the maps themselves, the arrays from here."""

import numpy as np
import streamlit as st

from crimecast.grids.cube import load_cube
from crimecast.inspect.saving import as_netcdf, as_npz, plain
from crimecast.runs.run import Run


def save(run: Run, name: str, arrays: dict[str, np.ndarray]) -> None:
    """Buttons for the arrays behind a view; the files are made when one is pressed."""
    file = plain(f"{run.id} {name}")
    with st.popover("Arrays", icon=":material/download:", help="The numbers behind this view."):
        st.download_button(
            "NPZ", lambda: as_npz(arrays), f"{file}.npz", "application/octet-stream",
            key=f"npz_{name}", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "NetCDF", lambda: as_netcdf(arrays, load_cube(run.grid), {"run": run.id, "view": name}),
            f"{file}.nc", "application/x-netcdf", key=f"nc_{name}", on_click="ignore",
        )  # fmt: skip
