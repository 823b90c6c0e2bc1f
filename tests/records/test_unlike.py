"""A file beside those that were read of the city before."""

from datetime import timedelta

import numpy as np
import pytest

from crimecast.reading.rhythm import USUAL
from tests.records.test_import_kinds import Run, codes

RNG = np.random.default_rng(3)
DAYS = np.sort(RNG.integers(0, 360, 1200))
HOURS = RNG.choice(24, 1200, p=USUAL / USUAL.sum())
TIMES = [np.datetime64("2021-01-01") + int(d) for d in DAYS]
KINDS = RNG.choice(["THEFT", "ASSAULT", "FRAUD"], 1200)


def rows(part: range, shift: int = 0, codes: bool = False, gone: int = 0) -> str:
    lines = ["id,date,longitude,latitude,type"]
    for i in part:
        if gone and i % gone == 0:
            continue
        time = TIMES[i].astype("datetime64[s]").item() + timedelta(hours=int(HOURS[i]) + shift, minutes=i % 59 + 1)  # fmt: skip
        kind = {"THEFT": "1", "ASSAULT": "2", "FRAUD": "3"}[KINDS[i]] if codes else KINDS[i]
        lines.append(f"{i},{time:%Y-%m-%d %H:%M},{-87.65 + i % 50 / 1000},{41.85 + i % 31 / 1000},{kind}")  # fmt: skip
    return "\n".join(lines) + "\n"


FIRST, SECOND = range(0, 800), range(800, 1200)


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (rows(SECOND, shift=6), "rhythm_known"),
        (rows(SECOND, codes=True), "types_unlike"),
        (rows(range(0, 1200), gone=9), "withdrawn"),
    ],
)
def test_a_second_file_that_is_unlike_the_first(run: Run, second: str, code: str) -> None:
    run(rows(FIRST))
    result, _ = run(second)
    assert code in codes(result)


@pytest.mark.parametrize("second", [rows(SECOND), rows(range(400, 1200)), rows(FIRST), rows(range(0, 1200, 4))])  # fmt: skip
def test_a_second_file_that_is_alike(run: Run, second: str) -> None:
    run(rows(FIRST))
    result, _ = run(second)
    assert not {"rhythm_known", "types_unlike", "withdrawn"} & set(codes(result))
