"""Starting the app."""

import argparse
import os
import subprocess
import sys
from typing import Any

from crimecast.commands.arguments import Add


def app(options: argparse.Namespace) -> tuple[Any, str]:
    """Start Streamlit on this computer only."""
    from crimecast.storage.store import TOP, data_root

    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(TOP / "app.py"),
        "--server.port",
        str(options.port),
    ]
    # From there, where .streamlit/config.toml lies; a data folder named from here stays the same.
    environment = {**os.environ, "CRIMECAST_DATA": str(data_root())}
    status = subprocess.call(command, cwd=TOP, env=environment)
    return {"status": status}, ""


def register(add: Add) -> None:
    """The command that starts the app."""
    p = add("app", app, "Open the app.")
    p.add_argument("--port", type=int, default=8501, metavar="N")
