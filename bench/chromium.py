"""A Streamlit server and the flags with which Chromium draws without a GPU, for what is timed or
tested in it: maps by SwiftShader, the page by its plain compositor, which takes 40 % less time."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader", "--disable-gpu-compositing",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def serve(script: Path, data: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """A Streamlit server, and its address."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true"],
        cwd=TOP, env={**os.environ, "CRIMECAST_DATA": str(data), "MPLBACKEND": "agg"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.time() + 600
    while time.time() < end:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
            return process, f"http://localhost:{port}"
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the app did not start")
