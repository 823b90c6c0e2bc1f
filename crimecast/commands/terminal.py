"""Progress in one line of a terminal, on standard error; nothing where there is no terminal."""

import sys


def show(text: str) -> None:
    """Write the line over."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def note(text: str) -> None:
    """One line beside the answer."""
    print(" ".join(text.split()), file=sys.stderr)


def end() -> None:
    """Leave the line as it stands."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
