"""Where `crimecast` and `python -m crimecast` begin."""

from crimecast.commands.line import main

__all__ = ["main"]
