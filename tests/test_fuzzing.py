"""Every parser reads or refuses: what was found before, and a short run of what might be found."""

import pytest

from tests.fuzzing import CORPUS, PARSERS, fell, fuzz


@pytest.mark.parametrize("parser", PARSERS)
def test_a_few(parser: str) -> None:
    for number in range(6):
        content, wrong = fuzz(parser, number)
        assert not wrong, (number, wrong, content[:200])


@pytest.mark.parametrize("parser", PARSERS)
def test_what_was_found_before(parser: str) -> None:
    for path in sorted((CORPUS / parser).glob("*")):
        assert not (wrong := fell(parser, path.read_bytes())), (path.name, wrong)


@pytest.mark.long
@pytest.mark.parametrize("parser", PARSERS)
def test_many(parser: str) -> None:
    for number in range(100, 500):
        content, wrong = fuzz(parser, number)
        assert not wrong, (number, wrong, content[:200])
