"""Starting the app."""

import argparse
import subprocess
import sys
from typing import Any


def app(options: argparse.Namespace) -> tuple[Any, str]:
    """Start Streamlit on this computer only."""
    from crimecast.storage.store import PACKAGE_DATA

    top = PACKAGE_DATA.parent
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(top / "app.py"),
        "--server.port",
        str(options.port),
    ]
    status = subprocess.call(command, cwd=top)
    return {"status": status}, ""
