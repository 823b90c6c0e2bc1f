"""What a layer of a spec is given: its options, held against what may be, and the shapes that come in."""

from dataclasses import dataclass
from typing import Any

from crimecast import UserError
from crimecast.designs.spec import shown

Shape = tuple[int, ...]
ACTIVATIONS = ("none", "relu", "leaky_relu", "gelu", "silu", "elu", "tanh", "sigmoid")
NORMS = ("none", "group", "batch", "layer", "instance")
# The most that a whole option may be: beyond it no machine that is known here could train it.
LIMITS = {
    "channels": 16_384, "kernel": 1_025, "stride": 64, "dilation": 512, "groups": 16_384, "steps": 255,
    "keys": 4_096, "count": 32, "weekdays": 16, "size": 512, "reduction": 4_096, "hidden": 16_384,
    "of": 16_384, "against": 16_384,
}  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What the rules of a kind are given. `calendar` counts the calendar numbers of a step, `past` the design's
    half-lives of all steps and of the same weekday."""

    name: str
    options: dict[str, Any]
    takes: tuple[Shape, ...]
    known: dict[str, Shape]
    types: int
    lags: tuple[int, ...]
    calendar: int
    past: tuple[int, int] = (0, 0)

    def refuse(self, what: str) -> UserError:
        """The error to raise, with the layer's name."""
        return UserError(f"Layer '{self.name}': {what}.")

    def one(self) -> Shape:
        """The only input, of any shape."""
        if len(self.takes) != 1:
            raise self.refuse(f"takes one input, not {len(self.takes)}")
        return self.takes[0]

    def maps(self) -> Shape:
        """The only input, which must be maps."""
        shape = self.one()
        if len(shape) != 3:
            raise self.refuse(
                f"takes maps, and its input is a sequence of {shape[0]} steps: use a convlstm, "
                "convgru, lag_attention or flatten before it"
            )
        return shape

    def sequence(self) -> Shape:
        """The only input, which must be a sequence."""
        shape = self.one()
        if len(shape) != 4:
            raise self.refuse('takes a sequence of maps: give it inputs = ["history"]')
        return shape

    def whole(self, key: str, least: int = 1) -> int:
        """An option that must be a whole number, up to what LIMITS says of it."""
        value, most = self.options[key], LIMITS[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.refuse(
                f"{key} must be a whole number of at least {least} and at most {most:,}, not "
                f"{shown(value)}"
            )
        return value

    def odd(self, key: str) -> int:
        """An option that must be odd, so that a convolution keeps the map in its place."""
        value = self.whole(key)
        if value % 2 == 0:
            raise self.refuse(f"{key} must be odd so that the map keeps its place, not {value}")
        return value

    def number(self, key: str, least: float, below: float) -> float:
        """An option that must be a number in a range."""
        value = self.options[key]
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not least <= value < below
        ):
            raise self.refuse(f"{key} must lie between {least:g} and {below:g}, not {shown(value)}")
        return float(value)

    def choice(self, key: str, values: tuple[str, ...]) -> str:
        """An option that must be one of some words."""
        value = self.options[key]
        if value not in values:
            raise self.refuse(f"{key} {shown(value)} is unknown; use one of {', '.join(values)}")
        return value

    def norm_weights(self, channels: int) -> int:
        """What the layer's normalisation learns."""
        return 0 if self.options["norm"] in ("none", "instance") else 2 * channels
