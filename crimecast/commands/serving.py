"""Starting the app."""

import argparse
import subprocess
import sys
from typing import Any

from crimecast.commands.arguments import Add


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


def register(add: Add) -> None:
    """The command that starts the app."""
    p = add("app", app, "Open the app.")
    p.add_argument("--port", type=int, default=8501, metavar="N")
