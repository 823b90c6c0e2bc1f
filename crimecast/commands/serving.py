"""Starting the app, and what assistants read from."""

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


def mcp(options: argparse.Namespace) -> tuple[Any, str]:
    """Answer an assistant on standard input and output until it hangs up."""
    from crimecast.commands.ready import ready
    from crimecast.reporting.assistant import server

    made = server()
    ready()
    made.run("stdio")
    return {}, ""


def register(add: Add) -> None:
    """The commands that serve."""
    add(
        "mcp",
        mcp,
        "Let an assistant read runs, scores, findings and maps (Model Context Protocol).",
    )
    p = add("app", app, "Open the app.")
    p.add_argument("--port", type=int, default=8501, metavar="N")
