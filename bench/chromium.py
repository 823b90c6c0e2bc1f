"""A Streamlit server and the flags with which Chromium draws without a GPU, for what is timed or
tested in it: maps by SwiftShader, the page by its plain compositor, which takes 40 % less time."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader", "--disable-gpu-compositing",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip

TRIES, IN_USE = 3, "in use"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def serve(script: Path, data: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """A Streamlit server, and its address. Raises RuntimeError, with what it said, if it doesn't start."""
    for left in reversed(range(TRIES)):
        try:
            return port_served(script, data, port or free_port())
        except RuntimeError as error:
            if port or not left or IN_USE not in str(error):  # a port that was free may be taken
                raise
    raise AssertionError


def port_served(script: Path, data: Path, port: int) -> tuple[subprocess.Popen[bytes], str]:
    """The same at one port."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true"],
            cwd=TOP, env={**os.environ, "CRIMECAST_DATA": str(data), "MPLBACKEND": "agg"},
            stdout=subprocess.DEVNULL, stderr=said,
        )  # fmt: skip
        end = time.time() + 600
        while time.time() < end and process.poll() is None:
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
                return process, f"http://localhost:{port}"
            except OSError:
                time.sleep(0.2)
        said.seek(0)
        status, text = process.poll(), said.read().decode("utf-8", "replace")
    raise RuntimeError(f"the app did not start ({status}): {text[-2000:]}")
