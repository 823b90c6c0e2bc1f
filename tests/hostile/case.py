"""One hostile input: the words of a command, and what was done to the data folder before."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class Store:
    """The data folder that is tried, and names in it."""

    root: Path
    grid: str
    run: str
    city: str


@dataclass(frozen=True)
class Case:
    """`arguments` to call with; `harm`, what files of the data folder hold instead (None: they are
    gone); `goes_on`, whether the command has to answer all the same."""

    kind: str
    arguments: list[str]
    harm: dict[str, bytes | None] = field(default_factory=dict)
    goes_on: bool = False


def make(random: Random, folder: Path, store: Store) -> Case:
    """Draw a case; its files are written to `folder`."""
    from tests.hostile import damage, files, specs, words

    kinds = [(files.make, 55), (words.make, 20), (specs.make, 13), (damage.make, 12)]
    made = random.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
    return made(random, folder, store)
