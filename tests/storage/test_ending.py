"""A process whose thread of zarr needs long to end, ends without a word."""

import subprocess
import sys

SLOW = """
import time
import numpy as np
import zarr
{waited}
array = zarr.create_array({{}}, data=np.arange(9))
assert array[3] == 3
from zarr.core import sync
sync.loop[0].call_soon_threadsafe(time.sleep, 1.0)
"""


def said(waited: str) -> str:
    code = SLOW.format(waited=waited)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    return done.stderr


def test_zarrs_thread_is_waited_for() -> None:
    assert "did not finish cleanly" in said("")
    assert said("import crimecast.storage.ending") == ""
