"""The sample city: simulated, so that its true rates are known, and how it ships."""

from pathlib import Path

from crimecast.storage.store import TOP, data_root

SAMPLE = TOP / "data" / "sample"


def sample_is_ready() -> bool:
    """Whether the sample city, its grid and its run are all in the data folder."""
    return sample_marker().exists()


def sample_marker() -> Path:
    """The file that is written last when the sample city is put into the data folder."""
    return data_root() / "cities" / "sample" / "ready"
