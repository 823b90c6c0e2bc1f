"""How a command is added to the command line, and the arguments that several share."""

import argparse
from collections.abc import Callable
from typing import Any

# Adds a command by its name, what it does and a line about it; gives its parser.
Add = Callable[[str, Callable[..., Any], str], argparse.ArgumentParser]


def cluster(parser: argparse.ArgumentParser) -> None:
    """Where the work is done: `--executor` and, of a Ray cluster, its `--address`."""
    parser.add_argument(
        "--executor", choices=["local", "ray"], help="this machine, or a Ray cluster"
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="of the Ray cluster (default: auto)")
