"""What tests share: a data folder of their own, the sample city, a tiny city, the real records."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci")

# Before torch is loaded: idle threads are to leave the processor to others, and where several
# processes test side by side each has one of its own.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("CRIMECAST_PREPARE", "0")  # pages of runs that nobody looks at
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"OMP_NUM_THREADS": "1", "CRIMECAST_THREADS": "1"}
COMPULSORY = os.environ.get("CRIMECAST_TEST_ALL") == "1"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A data folder with the sample city and its run; gives the name of its grid."""
    before = os.environ.get("CRIMECAST_DATA")
    os.environ["CRIMECAST_DATA"] = str(tmp_path_factory.mktemp("sample"))
    from crimecast.grids.grid import list_grids
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    yield list_grids("sample")[-1]["grid"]
    if before is None:
        del os.environ["CRIMECAST_DATA"]
    else:
        os.environ["CRIMECAST_DATA"] = before


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real records, CRIMECAST_REAL_DATA; these tests are skipped without it."""
    folder = os.environ.get("CRIMECAST_REAL_DATA")
    if not folder:
        assert not COMPULSORY, "CRIMECAST_REAL_DATA must be set"
        pytest.skip("CRIMECAST_REAL_DATA is not set")
    return Path(folder).resolve()


def tiny_csv(path: Path, count: int = 400, seed: int = 0) -> Path:
    """A CSV of `count` records of an invented town, with a few that can't be used."""
    rng = np.random.default_rng(seed)
    lines = ["id,when,lng,lat,what"]
    for i in range(count):
        when = datetime(2020, 1, 1) + timedelta(minutes=int(rng.integers(0, 60 * 24 * 60)))
        lng, lat = rng.normal(9.9, 0.02), rng.normal(53.5, 0.012)
        if i % 50 == 7:
            lng, lat = 0.0, 0.0
        lines.append(
            f"{i},{when:%Y-%m-%d %H:%M},{lng:.6f},{lat:.6f},{rng.choice(['Theft', 'Assault'])}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def town(data: Path, tmp_path: Path) -> str:
    """A small city without an outline, with two months of records."""
    from crimecast.records.importing import import_file

    mapping = {"time": "when", "longitude": "lng", "latitude": "lat", "type": "what"}
    import_file("town", tiny_csv(tmp_path / "town.csv"), mapping, zone="Europe/Berlin")
    return "town"
