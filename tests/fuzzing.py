"""Fuzz each parser and the command line: `python -m tests.fuzzing --seconds 3600`.

A parser is given bytes changed at random. It may refuse with a UserError and nothing else; what makes
it throw anything else is kept in `tests/corpus/PARSER/`, and tried again by the unit tests for ever.
After each round of the parsers one hostile command is called (`tests/hostile`), as by bench/hostile.py;
one that falls is named by its number.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from crimecast.cities.city import parsed
from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.reading.files import read_table
from crimecast.runs.settings import Settings
from crimecast.training import checkpoints
from tests import answers
from tests.hostile import files
from tests.hostile.case import make
from tests.hostile.trying import Kept, caught, prepared, tried
from tests.hostile.values import mutated

CORPUS = Path(__file__).parent / "corpus"
TOP = Path(__file__).resolve().parents[1]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _file(suffix: str) -> Callable[[bytes, Path], object]:
    def read(content: bytes, folder: Path) -> object:
        path = folder / f"a{suffix}"
        path.write_bytes(content)
        return read_table(path)

    return read


def _checkpoint(content: bytes, folder: Path) -> object:
    path = folder / "a.safetensors"
    path.write_bytes(content)
    return checkpoints.load(path)


def _entry(content: bytes, folder: Path) -> object:
    path = folder / "a.toml"
    path.write_bytes(content)
    return parsed.__wrapped__(path, 0)


def _settings(content: bytes, folder: Path) -> object:
    return Settings.parse(_text(content))


PARSERS: dict[str, Callable[[bytes, Path], object]] = {
    "csv": _file(".csv"), "json": _file(".json"), "geojson": _file(".geojson"), "parquet": _file(".parquet"),
    "zip": _file(".zip"), "spec": lambda content, _: parse_design(_text(content)), "checkpoint": _checkpoint,
    "city": _entry, "settings": _settings, "portal": lambda content, _: answers.replayed(content),
}  # fmt: skip


def seed_of(parser: str, random: Random) -> bytes:
    """Something that the parser reads, or nearly."""
    drawn = {"csv": files._csv, "json": files._json, "geojson": files._geojson, "parquet": files._parquet, "zip": files._packed}  # fmt: skip
    if parser in drawn:
        return drawn[parser](random)[2]
    if parser == "spec":
        return random.choice(sorted((TOP / "crimecast" / "designs").glob("*.toml"))).read_bytes()
    if parser == "city":
        return random.choice(sorted((TOP / "crimecast" / "cities").glob("*.toml"))).read_bytes()
    if parser == "checkpoint":
        return (TOP / "data" / "sample" / "run" / "network.safetensors").read_bytes()
    return b'{"train": 510, "validate": 620, "train_until": "a", "validate_until": "b", "epochs": 6, "search": "s", "trial": 1, "values": {}}'  # fmt: skip


def fell(parser: str, content: bytes) -> str:
    """What a parser threw that it should not have; "" if it read or refused."""
    with caught() as said:
        wrong = _thrown(parser, content)
    panic = said[1].decode("utf-8", "replace")
    return wrong or ("panicked" in panic and panic[:300]) or ""


def _thrown(parser: str, content: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = PARSERS[parser](content, Path(folder))
            return str(made) if parser == "portal" else ""
        except UserError as error:
            return "" if "\n" not in str(error) else f"several lines: {error}"
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic is no Exception
            return f"{type(error).__name__}: {error}"[:300]


def fuzz(parser: str, number: int) -> tuple[bytes, str]:
    """The case of that number, and what it led to."""
    random = Random(f"{parser}{number}")
    if parser == "portal":  # what it answers is known once it is asked
        return answers.fuzz(random)
    content = mutated(random, seed_of(parser, random))
    return content, fell(parser, content)


def command(number: int, kept: Kept) -> str:
    """What is wrong with the answer to the hostile command of that number; "" if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        case = make(Random(f"command{number}"), Path(folder), kept.store)
        wrong = tried(case, kept).wrong
        return wrong and f"{wrong}: {case.arguments!r:.300}"


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=3600.0)
    arguments.add_argument("--first", type=int, default=10_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as top:
        return fuzzed(options.seconds, options.first, Kept(prepared(Path(top) / "data")))


def fuzzed(seconds: float, first: int, kept: Kept) -> int:
    """Try one input after the other for so long; 1 if anything fell."""
    began, number, found = time.monotonic(), first, 0
    while time.monotonic() - began < seconds:
        for parser in PARSERS:
            content, wrong = fuzz(parser, number)
            if wrong:
                found += 1
                place = CORPUS / parser / hashlib.blake2b(content, digest_size=8).hexdigest()
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                print(parser, number, wrong, flush=True)
        if wrong := command(number, kept):
            found += 1
            print("command", number, wrong, flush=True)
        number += 1
    print(f"{(number - first) * (len(PARSERS) + 1):,} inputs, {found} of which made something fall")
    return int(found > 0)


if __name__ == "__main__":
    raise SystemExit(main())
