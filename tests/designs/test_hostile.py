"""Whatever a spec holds, it is built within limits or refused in one sentence."""

import contextlib
import math
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from crimecast.designs.given import LIMITS
from crimecast.designs.kinds import KINDS
from crimecast.designs.shapes import lay_out
from crimecast.designs.spec import TAKEN, TEXT, Design, parse_design, to_toml
from crimecast.errors import UserError
from crimecast.runs.search import marked

HEAD = '\n[[layer]]\nname = "out"\nkind = "head"\n'


def refused(text: str) -> str:
    """The one sentence that refuses a spec."""
    with pytest.raises(UserError) as error:
        lay_out(parse_design(text), 1, 8, 8, 4)
    said = str(error.value)
    assert "\n" not in said
    assert len(said) < 700
    return said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x = " + "9" * 5000, "not valid TOML"),
        ("x = " + "[" * 1000 + "]" * 1000, "not valid TOML"),
        ('name = "a"\nposition = ' + "9" * 4200 + HEAD, "position"),
        (f'name = "{"a" * 300}"' + HEAD, "name must be 1 to 80"),
        ("name = 3" + HEAD, "name must be"),
        ('name = "a"\nlags = 3' + HEAD, "lags must be"),
        ('name = "a"\nlags = [1.5]' + HEAD, "lags must be"),
        ('name = "a"\nlags = [true]' + HEAD, "lags must be"),
        ('name = "a"\nmemories = [nan]' + HEAD, "memories must be"),
        ('name = "a"\nmemories = [inf]' + HEAD, "memories must be"),
        ('name = "a"\nmemories = "abc"' + HEAD, "memories must be"),
        ('name = "a"\nmemories = [[1]]' + HEAD, "memories must be"),
        ('name = "a"\ncalendar = [["dow"]]' + HEAD, "calendar must be"),
        ('name = "a"\ncalendar = "dow"' + HEAD, "calendar must be"),
        ('name = "a"\noffset = ["none"]' + HEAD, "offset must be"),
        ('name = "a"\nstatic = [3]' + HEAD, "static must be"),
        ('name = "a"\ntraining = 3' + HEAD, "training must be a table"),
        ('name = "a"\n[training]\nepochs = "a"' + HEAD, "training.epochs must be"),
        ('name = "a"\n[training]\nepochs = 1000000000000' + HEAD, "training.epochs must be"),
        ('name = "a"\n[training]\nlearning_rate = 9.99' + HEAD, "training.learning_rate must be"),
        ('name = "a"\n[training]\nclip = nan' + HEAD, "training.clip must be"),
        ('name = "a"\n[training]\nweight_decay = nan' + HEAD, "training.weight_decay must be"),
        ('name = "a"\n[training]\ndeterministic = 1' + HEAD, "training.deterministic must be"),
        ('name = "a"\nlayer = [3]', "written as"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "conv"\nchannels = 1000000' + HEAD, "channels"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "conv"\nkernel = 1000000001' + HEAD, "kernel"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "upsample"\nlike = ["a"]' + HEAD, "like"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "conv"\nnorm = [1]' + HEAD, "norm"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "conv"\ninputs = 3' + HEAD, "inputs"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "conv"\ninputs = [[1]]' + HEAD, "inputs"),
        ('name = "a"\n[[layer]]\nname = "keys"\nkind = "conv"' + HEAD, "called 'keys'"),
        (f'name = "a"\n[[layer]]\nname = "{"x" * 300}"\nkind = "conv"' + HEAD, "needs a name"),
        ('name = "a"\n[[layer]]\nname = "x"\nkind = "dropout"\nrate = nan' + HEAD, "rate"),
        ("#" * (TEXT + 1), "at most"),
        ('name = "a"' + '\n[[layer]]\nname = "x"\nkind = "conv"' * 1001, "layers"),
    ],
)  # fmt: skip
def test_it_is_refused_in_a_sentence(text: str, word: str) -> None:
    assert word in refused(text)


def test_names_that_torch_has_taken() -> None:
    own = {name for name in dir(nn.ModuleDict()) if not name.startswith("_")}
    assert own <= TAKEN


VALUE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.text(max_size=20),
        st.sampled_from(["dow", "none", "poisson", "conv", "frames", "history", "x0", "relu"]),
        st.dates(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
FIELDS = ["name", "lags", "horizon", "layer", *(set(Design.__annotations__) - {"layers"})]
OPTIONS = sorted({key for kind in KINDS.values() for key in kind.options})
LAYER = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["x0", "x1", "out"]) | VALUE,
        "kind": st.sampled_from(sorted(KINDS)) | VALUE,
        "inputs": st.lists(st.sampled_from(["frames", "history", "maps", "x0", "x1"])) | VALUE,
        **{key: st.integers(0, 5) | VALUE for key in OPTIONS},
    },
)


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=4),
    st.lists(LAYER, max_size=3),
    st.dictionaries(st.sampled_from(["epochs", "batch", "clip", "average"]), VALUE, max_size=2),
)
def test_anything_is_built_or_refused(
    document: dict[str, Any], layers: list[dict[str, Any]], training: dict[str, Any]
) -> None:
    spec = {"name": "a", "layer": layers, "training": training} | document
    text = tomli_w.dumps(spec)
    try:
        design = parse_design(text)
        lay_out(design, 1, 8, 8, 4)
    except UserError:
        return
    assert parse_design(to_toml(design)) == design
    numbers = [value for value in vars(design.training).values() if not isinstance(value, bool)]
    assert all(math.isfinite(value) for value in numbers)
    for layer in design.layers:
        for key, value in layer.options.items():
            assert key not in LIMITS or value <= LIMITS[key]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=4), VALUE)
def test_marks_are_understood_or_refused(document: dict[str, Any], mark: Any) -> None:
    with contextlib.suppress(UserError):
        marked(tomli_w.dumps({**document, "position": {"search": mark}}))
