"""Processes of our own that outlive whoever starts them: workers, supervisors, crawls, searches."""

import os
import subprocess
import sys
from pathlib import Path

from crimecast.storage.store import PACKAGE, data_root


def start(
    module: str, *arguments: str, log: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """`python -m module …` on this data folder, from whatever working directory; what it says goes to
    `log`. `environment` comes on top of the own."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            cwd=PACKAGE.parent,  # where `-m` finds the package, in a clone as where it was installed
            env={
                **os.environ, "CRIMECAST_DATA": str(data_root()), "PYTHONUNBUFFERED": "1",
                **(environment or {}),
            },
        )  # fmt: skip
