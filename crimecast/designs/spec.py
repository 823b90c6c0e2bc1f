"""The spec of a design: read from TOML, checked field by field against one schema, and written back.

The schema is the classes below: a field's type says what it may be and within which limits, in
numbers for the check (pydantic) and in words for who wrote it.
"""

import re
import tomllib
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli_w
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from crimecast import UserError
from crimecast.calendar.dates import CALENDAR

SHIPPED = Path(__file__).parent
Offset = Literal["none", "mean", "decayed_mean", "memory_mixture"]
Likelihood = Literal["poisson", "negative_binomial", "zero_inflated_poisson", "bernoulli"]
OFFSETS, LIKELIHOODS = get_args(Offset), get_args(Likelihood)
SURPRISES = (
    "surprises", "weekday_surprises", "hour_surprises", "season_surprises", "first_surprises",
)  # fmt: skip
REMEMBERED = (
    "memories", "weekday_memories", "hour_memories", "season_memories", *SURPRISES,
)  # fmt: skip
BLURRED = ("blurs", "surprise_blurs")
ALWAYS_WRITTEN = ("name", "lags", "horizon", "calendar", "offset", "likelihood", "training")
TEXT = 1_000_000  # characters of a spec
LAYERS = 1_000
# What a layer can't be called, since torch calls something else so.
TAKEN = frozenset({
    "T_destination", "add_module", "append", "apply", "bfloat16", "buffers", "call_super_init",
    "children", "clear", "compile", "cpu", "cuda", "double", "dump_patches", "eval", "extend",
    "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter",
    "get_submodule", "half", "insert", "ipu", "items", "keys", "load_state_dict", "modules", "mtia",
    "named_buffers", "named_children", "named_modules", "named_parameters", "parameters", "pop",
    "register_backward_hook", "register_buffer", "register_forward_hook",
    "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook", "register_module",
    "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to",
    "to_empty", "train", "training", "type", "update", "values", "xpu", "zero_grad",
})  # fmt: skip


def _whole(least: int, most: int) -> Any:
    return Field(
        strict=True, ge=least, le=most,
        description=f"a whole number of at least {least} and at most {most:,}",
    )  # fmt: skip


def _number(said: str, **limits: float) -> Any:
    return Field(strict=True, allow_inf_nan=False, description=said, **limits)  # type: ignore[call-overload]


HalfLives = Annotated[
    tuple[Annotated[float, _number("", gt=0, le=1e6)], ...],
    Field(
        max_length=64, description="at most 64 half-lives in days, above zero and up to a million"
    ),
]
Blurs = Annotated[
    tuple[Annotated[float, _number("", ge=0, le=20)], ...],
    Field(min_length=1, max_length=16, description="1 to 16 numbers of cells from 0 to 20"),
]


@dataclass(frozen=True)
class Training:
    """How a design is trained; `patience` in epochs without a better validation loss, `clip` the
    largest gradient norm, `average` the decay of the weights' moving average (0: none).
    `deterministic`: the same weights to the bit on every run on the same device, at some speed."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    epochs: Annotated[int, _whole(1, 100_000)] = 12
    batch: Annotated[int, _whole(1, 65_536)] = 16
    learning_rate: Annotated[
        float, _number("a learning rate above 0 and at most 5", gt=0, le=5)
    ] = 2e-3
    weight_decay: Annotated[float, _number("a number from 0 to 10", ge=0, le=10)] = 1e-2
    patience: Annotated[int, _whole(1, 100_000)] = 3
    clip: Annotated[float, _number("a number above 0 and up to a million", gt=0, le=1e6)] = 1.0
    average: Annotated[float, _number("a number from 0 to below 1", ge=0, lt=1)] = 0.0
    deterministic: Annotated[bool, Field(strict=True, description="true or false")] = False


@dataclass(frozen=True)
class Layer:
    """One named layer: its kind, what it takes, and its kind's options."""

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """A design as its TOML says. `module` is `FILE.py:Class` for a user's own network.

    The memories are half-lives in days (of a season: days on either side of the same date in
    earlier years), each as one input map for each of its blurs (standard deviations in cells).
    Surprises remember what happened beside what the offset had expected of the same steps.
    `past` and `weekday_past` are half-lives from which layers of the kind `memory` make memories of their own.
    `position` is the number of waves by which a cell's row and column are told, `level` the
    city's level of the step by its own small model. `horizons` (in TOML `horizon = 1` or
    `horizon = [1, 3, 7]`) are the steps ahead that the one network forecasts, all from the same
    frames: lags count back from the step that the first of them forecasts.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: Annotated[
        str, Field(strict=True, min_length=1, max_length=80, description="1 to 80 characters")
    ]
    lags: Annotated[
        tuple[Annotated[int, _whole(1, 100_000)], ...],
        Field(
            min_length=1, max_length=512,
            description="1 to 512 whole steps from 1 to 100,000: a forecast may not see its own step",
        ),
    ] = (1, 2, 3, 7, 14, 21, 28)  # fmt: skip
    horizons: Annotated[
        tuple[Annotated[int, _whole(1, 10_000)], ...],
        Field(
            min_length=1, max_length=64,
            description="a number of steps of at least 1 and at most 10,000, or up to 64 in rising order",
        ),
    ] = (1,)  # fmt: skip
    calendar: Annotated[
        tuple[Literal[CALENDAR], ...],  # type: ignore[valid-type]
        Field(max_length=64, description=f"some of the calendar inputs {', '.join(CALENDAR)}"),
    ] = ("dow", "doy")
    memories: HalfLives = ()
    blurs: Blurs = (0.0,)
    weekday_memories: HalfLives = ()
    hour_memories: HalfLives = ()
    season_memories: HalfLives = ()
    surprises: HalfLives = ()
    surprise_blurs: Blurs = (0.0,)
    weekday_surprises: HalfLives = ()
    hour_surprises: HalfLives = ()
    season_surprises: HalfLives = ()
    first_surprises: HalfLives = ()
    past: HalfLives = ()
    weekday_past: HalfLives = ()
    position: Annotated[
        int, Field(strict=True, ge=0, le=8, description="a number of waves from 0 to 8")
    ] = 0
    level: Annotated[bool, Field(strict=True, description="true or false")] = False
    offset: Annotated[Offset, Field(description=f"one of {', '.join(OFFSETS)}")] = "none"
    static: Annotated[
        tuple[Annotated[str, Field(strict=True, min_length=1, max_length=64)], ...],
        Field(max_length=64, description="up to 64 names of the city's covariates"),
    ] = ()
    likelihood: Annotated[Likelihood, Field(description=f"one of {', '.join(LIKELIHOODS)}")] = (
        "poisson"
    )
    training: Training = field(default_factory=Training)
    layers: tuple[Layer, ...] = ()
    module: str | None = None

    @property
    def horizon(self) -> int:
        """The first horizon: what the design is judged by."""
        return self.horizons[0]


def parse_design(text: str, origin: str = "the spec") -> Design:
    """A design from TOML text. Raises UserError that names the field or layer that is wrong."""
    document = read_toml(text, origin)
    layers = document.pop("layer", [])
    if not isinstance(layers, list) or not all(isinstance(entry, dict) for entry in layers):
        raise UserError(f"{origin}: layers are written as [[layer]].")
    if len(layers) > LAYERS:
        raise UserError(f"{origin} has {len(layers):,} layers; at most {LAYERS:,} can be built.")
    for key in ("layers", "module", "horizons"):  # our own names for what a spec calls otherwise
        if key in document:
            raise UserError(f"{origin} has a field '{key}' that no design has.")
    ahead = document.pop("horizon", 1)
    document["horizons"] = ahead if isinstance(ahead, list) else [ahead]
    document["layers"] = [_layer(entry, origin) for entry in layers]
    try:
        design: Design = _schema().validate_python(document)
    except ValidationError as error:
        raise UserError(f"{origin}: {_said(error)}.") from None
    _check(design, origin)
    return design


def read_toml(text: str, origin: str) -> dict[str, Any]:
    """TOML text as a dictionary. Raises UserError for what isn't TOML, or nests or grows too far."""
    if len(text) > TEXT:
        raise UserError(f"{origin} has {len(text):,} characters; a spec has at most {TEXT:,}.")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOML's own errors, and numbers of thousands of digits
        raise UserError(f"{origin} is not valid TOML: {short(error, 200)}.") from None
    except RecursionError:
        raise UserError(f"{origin} is not valid TOML: it is nested too deep.") from None


@lru_cache(maxsize=1)
def _schema() -> TypeAdapter:
    return TypeAdapter(Design)


def short(value: object, most: int = 60) -> str:
    """What somebody wrote, as they wrote it, in at most so many characters."""
    text = (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, Exception)
        else repr(value)
    )
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _said(error: ValidationError) -> str:
    """The first thing that is wrong, in the words of its field."""
    first = error.errors(include_url=False)[0]
    where = [part for part in first["loc"] if isinstance(part, str)]
    known, told = Design, first["input"]
    if where and where[0] == "training" and len(where) > 1:
        known, where, prefix = Training, where[1:], "training."  # type: ignore[assignment]
    else:
        prefix = ""
    key = {"horizons": "horizon"}.get(where[0], where[0]) if where else ""
    if first["type"] == "unexpected_keyword_argument":
        return f"there is a field '{prefix}{short(key)}' that no design has"
    if first["type"].startswith("missing"):
        return f"a {key} is required"
    if first["type"] == "literal_error" and isinstance(told, str) and key != "calendar":
        return f"{key} '{short(told)}' is unknown; use {_words(known, where[0])}"
    return f"{prefix}{key} must be {_words(known, where[0])}; got {shown(told)}"


def shown(value: object) -> str:
    """What somebody wrote, for a sentence: short, text in quotation marks."""
    try:
        return short(value if not isinstance(value, str) else f"'{value}'")
    except ValueError:  # a whole number of thousands of digits can't be written out
        return "a number far too large"


def _words(known: type, key: str) -> str:
    """What a field's schema says in words."""
    annotation = known.__annotations__[key]
    said = [getattr(one, "description", None) for one in getattr(annotation, "__metadata__", ())]
    return next((text for text in said if text), "a table of fields")


def _layer(entry: dict[str, Any], origin: str) -> Layer:
    options = dict(entry)
    name, kind = options.pop("name", None), options.pop("kind", None)
    inputs = options.pop("inputs", [])
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 64:
        raise UserError(
            f"{origin}: every layer needs a name of at most 64 letters, digits and '_'; got "
            f"{shown(name)}."
        )
    if name in TAKEN or name.startswith("__"):
        raise UserError(f"{origin}: a layer can't be called '{name}'; choose another name.")
    if not isinstance(kind, str):
        raise UserError(f"{origin}: layer '{name}' has no kind.")
    if isinstance(inputs, str):
        inputs = [inputs]
    if not isinstance(inputs, list) or not all(isinstance(one, str) for one in inputs):
        raise UserError(f"{origin}: layer '{name}': inputs must be names of layers before it.")
    return Layer(name, kind, tuple(inputs), options)


def _check(design: Design, origin: str) -> None:
    """What no field can say alone."""

    def refuse(what: str) -> None:
        raise UserError(f"{origin}: {what}.")

    if sorted({*design.horizons}) != [*design.horizons]:
        refuse("horizon must be a number of steps of at least 1, or several in rising order")
    if min(design.lags) < design.horizon:
        refuse(
            f"lags must be whole steps, none below the horizon ({design.horizon}): a forecast may not see its own step"
        )
    if len(set(design.lags)) != len(design.lags):
        refuse("a lag is named twice")
    if design.offset == "none" and any(getattr(design, key) for key in SURPRISES):
        refuse("surprises compare the past with the offset's forecast, so they need an offset")
    if not design.layers and design.module is None:
        refuse("a design needs at least one [[layer]]")


def load_design(name: str) -> Design:
    """A shipped design by name, a TOML file, or `FILE.py:Class`. Raises UserError."""
    if not name or len(name) > 4000 or "\0" in name:
        raise UserError("Name a design that ships, a FILE.toml or FILE.py:Class.")
    if ".py:" in name:
        file, _, cls = name.rpartition(":")
        if not Path(file).is_file():
            raise UserError(f"There is no file {file}.")
        if not cls.isidentifier():
            raise UserError(f"'{cls}' is not the name of a class; write FILE.py:Class.")
        return Design(name=cls, module=f"{Path(file).resolve()}:{cls}")
    if name.endswith(".toml"):
        return parse_design(read_spec(Path(name)), Path(name).name)
    known = list_designs()
    if name not in known:
        raise UserError(
            f"There is no design '{name}'. Designs that ship: {', '.join(known)}; or give a FILE.toml."
        )
    return parse_design((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)


def read_spec(path: Path) -> str:
    """The text of a spec's file. Raises UserError where there is none, or it isn't text."""
    try:
        if not path.is_file():
            raise UserError(f"There is no file {path}.")
        with path.open(encoding="utf-8") as text:
            return text.read(TEXT + 1)
    except UnicodeError:
        raise UserError(f"{path.name} is not text in UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path.name[:80]} can't be read: {reason}.") from None


def list_designs() -> list[str]:
    """The names of the designs that ship, the one to start with first."""
    names = (path.stem for path in SHIPPED.glob("*.toml"))
    return sorted(names, key=lambda name: (name != "stack", name))


def to_toml(design: Design) -> str:
    """The spec as TOML text that parses to the same design."""
    written, plain = asdict(design), asdict(Design(design.name))
    ahead = written.pop("horizons")
    written["horizon"] = ahead if len(ahead) > 1 else ahead[0]
    document = {
        key: value
        for key, value in written.items()
        if value is not None and (key in ALWAYS_WRITTEN or value != plain[key])
    }
    document.pop("layers", None)
    document["training"] = document.pop("training")
    document.pop("module", None)
    text = tomli_w.dumps(
        {key: list(v) if isinstance(v, tuple) else v for key, v in document.items()}
    )
    for layer in design.layers:  # a block each, so that a change is a line of its own
        own = {"name": layer.name, "kind": layer.kind}
        own |= ({"inputs": list(layer.inputs)} if layer.inputs else {}) | layer.options
        text += f"\n[[layer]]\n{tomli_w.dumps(own)}"
    # A list of numbers reads better on one line.
    return re.sub(
        r"\[\n([^\[\]]*?),\n\]",
        lambda m: f"[{', '.join(m[1].split(',' + chr(10)))}]".replace("    ", ""),
        text,
    )


def with_module(design: Design, module: str) -> Design:
    """The same design with its module file at another place."""
    return replace(design, module=module)
