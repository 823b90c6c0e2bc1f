"""The spec of a design: read from TOML, checked field by field, and written back."""

import re
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli_w

from crimecast.calendar.dates import CALENDAR
from crimecast.errors import UserError

SHIPPED = Path(__file__).parent
OFFSETS = ("none", "mean", "decayed_mean", "memory_mixture")
LIKELIHOODS = ("poisson", "negative_binomial", "zero_inflated_poisson", "bernoulli")
SURPRISES = (
    "surprises", "weekday_surprises", "hour_surprises", "season_surprises", "first_surprises",
)  # fmt: skip
REMEMBERED = (
    "memories", "weekday_memories", "hour_memories", "season_memories", *SURPRISES,
)  # fmt: skip
BLURRED = ("blurs", "surprise_blurs")
UNWRITTEN = {"layers", "training", "module", "horizons"}  # under these names
ALWAYS_WRITTEN = ("name", "lags", "horizon", "calendar", "offset", "likelihood", "training")


@dataclass(frozen=True)
class Training:
    """How a design is trained; `patience` in epochs without a better validation loss, `clip` the
    largest gradient norm, `average` the decay of the weights' moving average (0: none).
    `deterministic`: the same weights to the bit on every run on the same device, at some speed."""

    epochs: int = 12
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    patience: int = 3
    clip: float = 1.0
    average: float = 0.0
    deterministic: bool = False


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
    `position` is the number of waves by which a cell's row and column are told, `level` the
    city's level of the step by its own small model. `horizons` (in TOML `horizon = 1` or
    `horizon = [1, 3, 7]`) are the steps ahead that the one network forecasts, all from the same
    frames: lags count back from the step that the first of them forecasts.
    """

    name: str
    lags: tuple[int, ...] = (1, 2, 3, 7, 14, 21, 28)
    horizons: tuple[int, ...] = (1,)
    calendar: tuple[str, ...] = ("dow", "doy")
    memories: tuple[float, ...] = ()
    blurs: tuple[float, ...] = (0.0,)
    weekday_memories: tuple[float, ...] = ()
    hour_memories: tuple[float, ...] = ()
    season_memories: tuple[float, ...] = ()
    surprises: tuple[float, ...] = ()
    surprise_blurs: tuple[float, ...] = (0.0,)
    weekday_surprises: tuple[float, ...] = ()
    hour_surprises: tuple[float, ...] = ()
    season_surprises: tuple[float, ...] = ()
    first_surprises: tuple[float, ...] = ()
    position: int = 0
    level: bool = False
    offset: str = "none"
    static: tuple[str, ...] = ()
    likelihood: str = "poisson"
    training: Training = field(default_factory=Training)
    layers: tuple[Layer, ...] = ()
    module: str | None = None

    @property
    def horizon(self) -> int:
        """The first horizon: what the design is judged by."""
        return self.horizons[0]


def parse_design(text: str, origin: str = "the spec") -> Design:
    """A design from TOML text. Raises UserError that names the field or layer that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{origin} is not valid TOML: {error}.") from None
    raw_layers = document.pop("layer", [])
    if not isinstance(raw_layers, list) or not all(isinstance(entry, dict) for entry in raw_layers):
        raise UserError(f"{origin}: layers are written as [[layer]].")
    raw_training = document.pop("training", {})
    for name, known in (("", Design), ("training.", Training)):
        given = raw_training if known is Training else document
        for key in given:
            allowed = {f.name for f in fields(known)} - UNWRITTEN | {"horizon"}
            if key not in allowed:
                raise UserError(f"{origin} has a field '{name}{key}' that no design has.")
    try:
        training = Training(**raw_training)
        for key in ("lags", "calendar", "static", *REMEMBERED, *BLURRED):
            if key in document:
                document[key] = tuple(document[key])
        ahead = document.pop("horizon", 1)
        document["horizons"] = tuple(ahead) if isinstance(ahead, list) else (ahead,)
        document["layers"] = tuple(_layer(entry, origin) for entry in raw_layers)
        design = Design(**document, training=training)
    except TypeError:
        raise UserError(
            f"{origin} lacks a field or has one of the wrong kind (a name is required)."
        ) from None
    _check(design, origin)
    return design


def _layer(entry: dict[str, Any], origin: str) -> Layer:
    options = dict(entry)
    name, kind = options.pop("name", None), options.pop("kind", None)
    inputs = options.pop("inputs", [])
    if not isinstance(name, str) or not name.isidentifier():
        raise UserError(
            f"{origin}: every layer needs a name of letters, digits and '_'; got {name!r}."
        )
    if not isinstance(kind, str):
        raise UserError(f"{origin}: layer '{name}' has no kind.")
    if isinstance(inputs, str):
        inputs = [inputs]
    return Layer(name, kind, tuple(inputs), options)


def _check(design: Design, origin: str) -> None:
    def refuse(what: str) -> None:
        raise UserError(f"{origin}: {what}.")

    if not isinstance(design.name, str) or not design.name:
        refuse("a name is required")
    ahead = design.horizons
    if not ahead or any(type(h) is not int or h < 1 for h in ahead) or sorted({*ahead}) != [*ahead]:
        refuse("horizon must be a number of steps of at least 1, or several in rising order")
    if not design.lags or any(
        not isinstance(lag, int) or lag < design.horizon for lag in design.lags
    ):
        refuse(
            f"lags must be whole steps, none below the horizon ({design.horizon}): a forecast may not see its own step"
        )
    if len(set(design.lags)) != len(design.lags):
        refuse("a lag is named twice")
    for key in REMEMBERED:
        if any(not isinstance(m, int | float) or m <= 0 for m in getattr(design, key)):
            refuse(f"{key} must be half-lives in days, above zero")
    for key in BLURRED:
        values = getattr(design, key)
        if not values or any(not isinstance(b, int | float) or not 0 <= b <= 20 for b in values):
            refuse(f"{key} must be numbers of cells from 0 to 20")
    if design.offset == "none" and any(getattr(design, key) for key in SURPRISES):
        refuse("surprises compare the past with the offset's forecast, so they need an offset")
    if not isinstance(design.position, int) or not 0 <= design.position <= 8:
        refuse("position must be a number of waves from 0 to 8")
    if not isinstance(design.level, bool):
        refuse("level must be true or false")
    if design.offset not in OFFSETS:
        refuse(f"offset '{design.offset}' is unknown; use one of {', '.join(OFFSETS)}")
    if design.likelihood not in LIKELIHOODS:
        refuse(f"likelihood '{design.likelihood}' is unknown; use one of {', '.join(LIKELIHOODS)}")
    if any(name not in CALENDAR for name in design.calendar):
        refuse(f"calendar inputs are {', '.join(CALENDAR)}")
    if any(not isinstance(name, str) or not name for name in design.static):
        refuse("static must be names of the city's covariates")
    training = design.training
    if (
        training.epochs < 1
        or training.batch < 1
        or training.patience < 1
        or not 0 < training.learning_rate < 10
    ):
        refuse(
            "training needs epochs, batch and patience of at least 1 and a learning rate above 0"
        )
    if not isinstance(training.deterministic, bool):
        refuse("training.deterministic must be true or false")
    if not 0 <= training.average < 1 or training.clip <= 0:
        refuse("training needs an average from 0 to below 1 and a clip above 0")
    if not design.layers and design.module is None:
        refuse("a design needs at least one [[layer]]")


def load_design(name: str) -> Design:
    """A shipped design by name, a TOML file, or `FILE.py:Class`. Raises UserError."""
    if ".py:" in name:
        file, _, cls = name.rpartition(":")
        if not Path(file).is_file():
            raise UserError(f"There is no file {file}.")
        if not cls.isidentifier():
            raise UserError(f"'{cls}' is not the name of a class; write FILE.py:Class.")
        return Design(name=cls, module=f"{Path(file).resolve()}:{cls}")
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UserError(f"There is no file {name}.")
        try:
            return parse_design(path.read_text(encoding="utf-8"), path.name)
        except UnicodeDecodeError:
            raise UserError(f"{path.name} is not text in UTF-8.") from None
    known = list_designs()
    if name not in known:
        raise UserError(
            f"There is no design '{name}'. Designs that ship: {', '.join(known)}; or give a FILE.toml."
        )
    return parse_design((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)


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
