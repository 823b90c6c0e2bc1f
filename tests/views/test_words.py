"""Plain names are one a thing, and docs/words.md lists them."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crimecast.baselines import BASELINES
from crimecast.designs.inputs import map_inputs
from crimecast.designs.spec import list_designs, load_design
from crimecast.diagnose import JUDGES
from crimecast.diagnose.meaning import MEANING
from crimecast.sample.truth import TRUTH
from crimecast.views.words import FIT, FORECASTS, MISFIT, OF_BEST, forecast_title, input_title

DOC = (Path(__file__).parents[2] / "docs" / "words.md").read_text()
JARGON = [
    word.strip() for word in DOC.partition("reads them all):")[2].replace("\n", " ").split(",")
]


def test_every_forecast_has_one_and_the_document_lists_it() -> None:
    assert set(FORECASTS) == {*BASELINES, TRUTH}
    names = [word.plain for word in FORECASTS.values()]
    assert len({*names}) == len(names)
    for word in (FIT, MISFIT, OF_BEST, *FORECASTS.values()):
        assert f"| {word.plain} | {word.term} |" in DOC


def test_inputs_of_the_designs_are_told_apart() -> None:
    for design in map(load_design, list_designs()):
        names = [one.name for one in map_inputs(design)]
        titles = [input_title(name, 500.0) for name in names]
        assert len({*titles}) == len({*names})
        assert not any("_" in title for title in titles)


@given(st.integers(1, 400), st.sampled_from(["", " Theft", " of a bike 2"]))
def test_a_type_stays_behind_its_input(lag: int, kind: str) -> None:
    assert input_title(f"lag {lag}{kind}").endswith(kind.strip() or "before")
    assert input_title(f"memory_{lag}d{kind}").endswith(kind.strip() or "days")


def test_a_file_of_ones_own_keeps_its_name() -> None:
    assert input_title("memory of schools") == "memory of schools"
    assert forecast_title("stack-1+stack-2") == "average of stack-1, stack-2"


def test_every_finding_says_what_it_means_without_jargon() -> None:
    codes = {judge.__name__.rsplit(".", 1)[-1] for judge in JUDGES}
    assert codes <= set(MEANING)
    for name, meaning in MEANING.values():
        assert jargon(f"{name}. {meaning}") == []
    for word in FORECASTS.values():
        assert jargon(f"{word.plain}. {word.meaning}") == []


def jargon(sentence: str) -> list[str]:
    """The words in it that an analyst isn't to be shown."""
    return [w for w in JARGON if re.search(rf"(?<!\w){re.escape(w)}(?:s|es)?(?!\w)", sentence, re.IGNORECASE)]  # fmt: skip
