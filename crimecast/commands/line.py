"""The command line: what the pages do, without a browser. Bad input is one sentence and exit code 2."""

import argparse
import contextlib
import io
import json
import math
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from crimecast import Doubt, UserError
from crimecast.commands import data, judging, living, looking, serving, training
from crimecast.machine.slots import wait_so
from crimecast.storage.faults import sentence

LONGEST = 2_000  # characters of a line on standard error


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _say(f"{self.prog}: {message}")
        self.exit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    wait_so()
    try:
        options = _parser().parse_args(arguments)
        if any("\0" in str(value) for value in vars(options).values()):
            raise UserError("An argument holds a NUL, which no name can hold.")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of libraries: what a person is to know has its sentence
            result, text = options.command(options)
        if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be no text
            sys.stdout.reconfigure(errors="backslashreplace")
        if options.json:
            print(json.dumps(_plain(result), indent=1, default=str))
        elif text:
            print(text)
        if sys.stdout is not None:  # None where it was closed
            sys.stdout.flush()  # here, where it is noticed that nobody reads on
    except UserError as error:
        flag = f" ({error.flag})" if isinstance(error, Doubt) and error.flag else ""
        return _say(f"{error}{flag}")
    except KeyboardInterrupt as interrupt:
        _say(str(interrupt) or "Stopped.")
        return 130
    except BrokenPipeError:
        _no_output()
    except SystemExit:
        raise
    except BaseException as error:  # a library's panic is no Exception
        said = sentence(error)
        _no_output()  # what is still to be written can't be; the interpreter would say so at its end
        return _say(said)
    return 0


def _no_output() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> int:
    """One line on standard error, whatever it quotes; the exit status that goes with it."""
    line = " ".join(text.split())[:LONGEST]
    # What it quotes may hold marks that turn a terminal's line round, or commands to it.
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    with contextlib.suppress(OSError, ValueError):  # nobody listens there
        print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return 2


def _plain(value: Any) -> Any:
    """JSON has no NaN: null stands for a score that can't be computed."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _parser() -> _Parser:
    parser = _Parser(
        prog="crimecast", description="Design networks that forecast events on city maps."
    )
    children = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def add(name: str, command: Callable[..., Any], text: str) -> argparse.ArgumentParser:
        child = children.add_parser(name, help=text, description=text)
        child.add_argument("--json", action="store_true", help="print one JSON document")
        child.set_defaults(command=command)
        return child

    for module in (data, training, judging, living, looking, serving):
        module.register(add)
    return parser
