"""The examples in docstrings say what happens."""

import doctest
import importlib
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
MODULES = sorted(
    ".".join(path.relative_to(TOP).with_suffix("").parts)
    for path in (TOP / "crimecast").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def examples(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder().find(importlib.import_module(module))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each on its own, without a data folder."""
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / "unused"))
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    for test in examples(module):
        told: list[str] = []
        runner.run(test, out=told.append)
        assert not told, "".join(told)
    assert not (tmp_path / "unused").exists()


def test_there_are_some_to_call_from_a_notebook() -> None:
    assert sum(len(examples(module)) for module in MODULES) >= 12
