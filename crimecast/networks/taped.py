"""What a tape holds: operations, calls of modules, and tensors as windows on storages."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from crimecast.networks.calls import Outputs


@dataclass(frozen=True)
class Ref:
    """A tensor as a window on a storage: the storage's number, and shape, strides, offset and size of
    an element in bytes."""

    storage: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    item: int


@dataclass(frozen=True)
class Constant:
    """A tensor that nothing of the inputs is in: its shape, its values if they are indices, and where
    it isn't zero if it is zero somewhere. `storage` is its number if it is made of weights."""

    shape: tuple[int, ...]
    values: Tensor | None = None
    support: Tensor | None = None
    storage: int | None = None


@dataclass(frozen=True)
class Op:
    """An operation: its name, torch's own handle, its arguments with tensors as `Ref` or `Constant`, what
    it wrote, and the call it ran in. `shut` says where arguments are zero by the mask of a softmax, or
    are made so by it."""

    name: str
    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Ref, ...]
    layer: str
    shut: dict[int, Tensor] = field(default_factory=dict)

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument by its name in torch's schema."""
        for place, argument in enumerate(self.func._schema.arguments):
            if argument.name == name:
                if place < len(self.args):
                    return self.args[place]
                return self.kwargs.get(name, argument.default_value)
        return default

    @property
    def inputs(self) -> list[Ref]:
        """What it read of what is made from the inputs."""
        written = {a.name for a in self.func._schema.arguments if a.is_out}
        kwargs = {k: v for k, v in self.kwargs.items() if k not in written}
        return _of_type(Ref, (self.args, kwargs))

    @property
    def weights(self) -> set[int]:
        """The storages of weights that it read."""
        made = _of_type(Constant, (self.args, self.kwargs))
        return {c.storage for c in made if c.storage is not None}


@dataclass(frozen=True)
class Called:
    """A call of a module: `end` is how many operations had run when it ended, `output` the tensors it
    gave, `takes` the calls that what it read comes from (or `inputs`, `calendar`)."""

    label: str
    module: str
    end: int
    outputs: tuple[Ref | None, ...]
    shapes: tuple[tuple[int, ...], ...]
    takes: tuple[str, ...]
    leaf: bool


@dataclass
class Record:
    """What a tape holds: the operations, the calls, the inputs and what `forward` returned.

    `left` says which operations took values out of torch, and where; `used` which modules' own
    weights were read, by the storages of those weights.
    """

    ops: list[Op] = field(default_factory=list)
    calls: Outputs = field(default_factory=Outputs)
    inputs: dict[str, Ref] = field(default_factory=dict)
    output: Ref | None = None
    takes: tuple[str, ...] = ()
    left: list[tuple[int, str]] = field(default_factory=list)
    weights: dict[int, set[str]] = field(default_factory=dict)
    items: dict[int, int] = field(default_factory=dict)  # storage → bytes of its smallest element
    bytes: dict[int, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """How many operations there are."""
        return len(self.ops)


def said(name: str, layer: str) -> str:
    """An operation and where it ran, as it is told."""
    return f"`{name}` in `{layer.removesuffix(':1') or 'forward'}`"


def _of_type(kind: Any, value: Any) -> list[Any]:
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return [one for part in value for one in _of_type(kind, part)]
    return []
