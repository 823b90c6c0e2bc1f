"""A network that is looked into, with inputs that it can be run on: its layers, calls and axes."""

from functools import cached_property

import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.designs.build import Network, named_layers
from crimecast.networks.axes import Axes, by_shape
from crimecast.networks.calls import split
from crimecast.networks.carried import by_operations
from crimecast.networks.clocked import clocked
from crimecast.networks.moved import HEAVY, axes_of
from crimecast.networks.tape import record
from crimecast.networks.taped import Record


class Looked:
    """What has a `network` and an `example` of its inputs."""

    network: nn.Module

    def example(self) -> dict[str, Tensor]:
        """`history` (1, L, C, H, W), `calendar` (1, F) and `static` (1, S, H, W) of one sample."""
        raise NotImplementedError

    @property
    def is_spec(self) -> bool:
        """Whether the network was built from a spec, whose layers keep to one order of axes."""
        return isinstance(self.network, Network)

    @cached_property
    def layers(self) -> dict[str, nn.Module]:
        """The layers one can look at, by name."""
        return named_layers(self.network)

    def record(self) -> Record:
        """A forward pass written down."""
        return record(self.network, self.layers, self.example())

    def recorded(self) -> Record:
        """The same, with the axes known: the pass that was written down to know them, the first time."""
        _ = self.labels
        made: Record | None = self.__dict__.pop("_first", None)
        return made or self.record()

    @cached_property
    def first_pass(self) -> tuple[float, type]:
        """How many seconds a forward pass takes on one core, and the type of what it returns. The second
        pass's where the first was long: a busy machine, or what is loaded at first, must not decide what is
        proven of a network."""
        with torch.no_grad():
            took, returned = clocked(lambda: self.network(*self.example().values()))
            if took > HEAVY:
                took, returned = clocked(lambda: self.network(*self.example().values()))
        return took, type(returned)

    @cached_property
    def _axes(self) -> dict[str, Axes]:
        """The axes of what every call of a user's own module gives."""
        if self.first_pass[0] > HEAVY:  # a dozen passes to see what moves are too many
            found = self._by_operations()
            if all(axes.proven or not axes.is_map for axes in found.values()):
                return found
        try:
            found = axes_of(self.network, self.layers, self.example())
        except UserError:
            raise
        except Exception:  # it takes one sample alone
            return self._by_operations()
        if all(axes.proven for axes in found.values()):
            return found
        made = self.__dict__["_first"] = self.record()
        return by_operations(made, found)

    def _by_operations(self) -> dict[str, Axes]:
        """The axes as far as shapes and operations tell."""
        made = self.__dict__["_first"] = self.record()
        height, width = self.example()["history"].shape[-2:]
        guessed = {
            label: by_shape(call.shapes[0], (height, width))
            for label, call in made.calls.items()
            if call.shapes
        }
        return by_operations(made, guessed)

    @property
    def labels(self) -> list[str]:
        """The calls of layers in a pass, those of a module that runs several times told apart."""
        return list(self.layers) if self.is_spec else list(self._axes)

    @property
    def shown(self) -> list[str]:
        """The calls that give maps."""
        if self.is_spec:
            return list(self.layers)
        return [label for label, axes in self._axes.items() if axes.is_map]

    def module(self, label: str) -> nn.Module:
        """The module that a call is of."""
        return self.layers[self.module_name(label)]

    def module_name(self, label: str) -> str:
        """The name of the module that a call is of."""
        return label if label in self.layers else split(label)[0]

    def axes(self, label: str, shape: tuple[int, ...]) -> Axes:
        """Which axes of a layer's output are places, steps and channels: a spec's by its own order, a
        user's by what moves with the inputs."""
        if self.is_spec:
            return by_shape(tuple(shape))
        height, width = self.example()["history"].shape[-2:]
        return self._axes.get(label) or by_shape(tuple(shape), (height, width))

    def maps(self, label: str, x: Tensor) -> Tensor:
        """(B, C, H, W) of a layer's output, of a sequence its last step; what is no map as it is."""
        try:
            return self.axes(label, x.shape).maps(x)
        except RuntimeError:  # how many there are is decided by values, and is another number now
            return x[None]
