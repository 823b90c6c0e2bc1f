"""What stands in an address is a number, a cell, or nothing."""

import numpy as np
import pytest

from crimecast.views.address import cell, number


@pytest.mark.parametrize(
    ("written", "found"),
    [("0", 0), ("7", 7), ("007", 7), ("8", None), ("-1", None), ("²", None), ("٣", None), ("", None), (None, None),
     ("1.0", None), (" 1", None), ("9" * 5000, None), ("0" * 5000, None), ("nan", None)],
)  # fmt: skip
def test_a_number(written: str | None, found: int | None) -> None:
    assert number(written, 8) == found


@pytest.mark.parametrize(
    ("written", "found"),
    [("1,2", (1, 2)), ("0,0", None), ("2,0", None), ("1,3", None), ("1", None), ("1,2,0", None), ("²,1", None),
     ("", None), (None, None), (",", None), ("1,", None)],
)  # fmt: skip
def test_a_cell(written: str | None, found: tuple[int, int] | None) -> None:
    area = np.array([[False, True, True], [True, True, True]])
    assert cell(written, area) == found
