"""Names from users never lead out of the data folder: they are refused, and nothing is made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crimecast.cities import load_city
from crimecast.errors import UserError
from crimecast.forecasting.forecasts import rates
from crimecast.grids.covariates import covariate_maps
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import grid_folder, make_grid
from crimecast.runs import search
from crimecast.runs.run import load_run
from crimecast.storage.store import data_root

STEPS = st.lists(
    st.sampled_from(["..", ".", "/", "etc", "runs", "\\", "~", "%2e%2e", "\0", "a", " ", "…"]),
    min_size=1, max_size=6,
).map("/".join)  # fmt: skip


def everything(root: Path) -> set[Path]:
    # The supervisor and SQLite come and go with files of their own.
    own = ("supervisor", "sqlite-wal", "sqlite-shm")
    paths = {*root.rglob("*"), *root.parent.iterdir()}
    return {path for path in paths if not any(part in path.name for part in own)}


@pytest.mark.parametrize(
    "ask",
    [
        load_city,
        grid_folder,
        make_grid,
        load_run,
        search.folder,
        lambda name: covariate_maps(load_cube(grid_of()), load_cube(grid_of()).area(9), name, 1),
        lambda name: rates(name, load_cube(grid_of()), 600, 602),
        lambda name: rates(f"{name}@2", load_cube(grid_of()), 600, 602),
    ],
    ids=["city", "grid", "gridding", "run", "search", "covariate", "forecast", "horizon"],
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=STEPS)
def test_no_name_leads_out_of_the_data_folder(
    sample: str, ask: Callable[[str], object], name: str
) -> None:
    before = everything(data_root())
    with pytest.raises(UserError):
        ask(name)
    assert everything(data_root()) == before


def grid_of() -> str:
    return next((data_root() / "grids").glob("sample-500m-1d-*")).name
