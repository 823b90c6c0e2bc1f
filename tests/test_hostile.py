"""Whatever is given to the command line, it answers in one line, without a trace, and the data are unharmed."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.few import few
from tests.hostile import damage, files, specs, words
from tests.hostile.trying import Kept, prepared, tried

MAKERS = {"files": files.make, "words": words.make, "specs": specs.make, "damage": damage.make}
LARGE = {"many rows", "long dictionary", "gzip in csv", "bomb"}  # seconds each: in the bench


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    before = os.environ.get("CRIMECAST_DATA")
    with tempfile.TemporaryDirectory() as top:
        root = Path(top) / "data"
        store = prepared(root)
        yield Kept(store)
    if before is None:
        del os.environ["CRIMECAST_DATA"]
    else:
        os.environ["CRIMECAST_DATA"] = before


def answer(kept: Kept, kind: str, random: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = MAKERS[kind](random, Path(folder), kept.store)
        if any(word in case.kind for word in LARGE):
            return
        made = tried(case, kept)
    slow = made.wrong in ("too slow", "too much memory")  # of a busy machine, or of other tests
    assert slow or not made.wrong, (case.arguments, made)


@pytest.mark.parametrize("kind", few(sorted(MAKERS, key=lambda kind: kind == "files"), 3))
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_a_few_of_them(kept: Kept, kind: str, random: Random) -> None:
    answer(kept, kind, random)


@pytest.mark.long
@pytest.mark.parametrize("kind", MAKERS)
def test_many_of_them(kept: Kept, kind: str) -> None:
    for seed in range(150):
        answer(kept, kind, Random(seed))
