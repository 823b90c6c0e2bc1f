"""Which designs are given lagged frames, and so can ignore them."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from crimecast.designs.spec import load_design
from crimecast.diagnose.case import Case
from crimecast.diagnose.ignored_input import judge


def found(name: str, is_spec: bool = True) -> list[str]:
    """The inputs that are named where the forecast doesn't change without the history."""
    case = SimpleNamespace(
        design=load_design(name), is_spec=is_spec, effect={"history": 0.0, "maps": 1.0}, nodes=[],
        rates=np.arange(8.0).reshape(2, 1, 2, 2), subject=SimpleNamespace(area=np.ones((2, 2), dtype=bool)),
    )  # fmt: skip
    case.effect["calendar"] = 1.0
    case_, calendar = cast(Case, case), "crimecast.diagnose.ignored_input._calendar_helps"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendar, lambda _case: False)
        return [str(finding.evidence["input"]) for finding in judge(case_)]


@pytest.mark.parametrize("name", ["stack", "st_resnet", "recurrent", "stack_plain"])
def test_a_design_that_is_given_frames_may_ignore_them(name: str) -> None:
    assert found(name) == ["history"]


def test_a_design_that_reads_its_past_as_memories_has_none_to_ignore() -> None:
    assert found("memory") == []
