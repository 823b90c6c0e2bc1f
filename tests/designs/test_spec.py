"""Specs are read, checked, and written back; what is wrong is named."""

import pytest

from crimecast.designs.spec import list_designs, load_design, parse_design, to_toml
from crimecast.errors import UserError

HEAD = '\n[[layer]]\nname = "out"\nkind = "head"\n'


@pytest.mark.parametrize("name", list_designs())
def test_shipped_designs_survive_being_written(name: str) -> None:
    design = load_design(name)
    assert parse_design(to_toml(design)) == design


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name =", "not valid TOML"),
        ('lags = [1]' + HEAD, "name is required"),
        ('name = "a"', "at least one"),
        ('name = "a"\ncolour = 1' + HEAD, "a field 'colour'"),
        ('name = "a"\nlags = [0]' + HEAD, "may not see its own step"),
        ('name = "a"\nlags = [1, 1]' + HEAD, "named twice"),
        ('name = "a"\nhorizon = 3\nlags = [2]' + HEAD, "none below the horizon"),
        ('name = "a"\nhorizon = [3, 1]' + HEAD, "in rising order"),
        ('name = "a"\nhorizon = []' + HEAD, "at least 1"),
        ('name = "a"\nhorizon = 0' + HEAD, "at least 1"),
        ('name = "a"\nhorizons = [1]' + HEAD, "field 'horizons' that no design has"),
        ('name = "a"\nmemories = [-1]' + HEAD, "half-lives in days"),
        ('name = "a"\noffset = "magic"' + HEAD, "offset 'magic' is unknown"),
        ('name = "a"\nlikelihood = "normal"' + HEAD, "likelihood 'normal' is unknown"),
        ('name = "a"\ncalendar = ["moon"]' + HEAD, "calendar inputs"),
        ('name = "a"\n[training]\nepochs = 0' + HEAD, "at least 1"),
        ('name = "a"\n[training]\nspeed = 9' + HEAD, "a field 'training.speed'"),
        ('name = "a"\n[[layer]]\nkind = "head"', "needs a name"),
        ('name = "a"\n[[layer]]\nname = "x"', "layer 'x' has no kind"),
        ('name = "a"\nlayer = 3', r"written as \[\[layer\]\]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_design(text)


@pytest.mark.parametrize("name", ["nothing", "nothing.toml", "nothing.py:Net"])
def test_what_is_not_there_is_named(name: str) -> None:
    with pytest.raises(UserError, match="There is no"):
        load_design(name)
