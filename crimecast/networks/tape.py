"""One forward pass written down: every operation of torch's core, with the memory it read and wrote.

It works on any network, since it watches the operations that all of torch is made of (those inside
scripted modules and C++ layers included), not modules or the functions a user calls. Tensors are
known by their storage: a view reads the memory it is a view of, and an operation in place overwrites
it, whatever names it has in the code. `flow.py` says which elements an operation's output is made
from, `receptive.py` follows them back to the inputs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from crimecast import UserError
from crimecast.networks.calls import ROOT, Counter, tensors_in, watched
from crimecast.networks.shut import LOW, is_mask, masked, spread, window
from crimecast.networks.taped import Called, Constant, Op, Record, Ref, said

INPUTS = ("history", "calendar", "static")
# What takes a tensor's values out of torch: what is made of them can't be followed.
LEAVING = {"numpy", "tolist", "__array__", "__dlpack__", "data_ptr"}
# What torch says of what no mode can follow, by a word of its message.
NOT_FOLLOWED = {
    "HigherOrderOperator": "an operator on functions, such as torch.cond: write the branch in Python, or compute both and choose by torch.where",
    "NestedTensor": "nested tensors: pad them, and mask what was added",
}  # fmt: skip
READING = {"_local_scalar_dense", "equal", "is_nonzero"}  # the same, of the core


def record(
    network: nn.Module, modules: dict[str, nn.Module], inputs: dict[str, Tensor], zeros: bool = True
) -> Record:
    """The tape of one forward pass, `network(*inputs)`, in evaluation mode.

    With `zeros` a weight that is exactly zero counts as no connection.
    """
    network.eval()
    writer = _Writer(network, inputs, zeros)
    watching = watched({ROOT: network, **modules}, writer.enter, writer.leave)
    # Fused layers hide the layers inside of them; compiled ones all of it.
    with _followed(), torch.no_grad(), watching, _slow_paths(), writer.leaving, writer:
        output = network(*inputs.values())
    return writer.finish(output)


@contextmanager
def _followed() -> Iterator[None]:
    """Says in a sentence what torch itself lets nobody follow."""
    try:
        yield
    except (NotImplementedError, RuntimeError) as error:
        for word, what in NOT_FOLLOWED.items():
            if word in str(error):
                raise UserError(f"`forward` uses {what}, which can't be followed.") from None
        raise


def reached(
    network: nn.Module, modules: dict[str, nn.Module], inputs: dict[str, Tensor]
) -> tuple[Record, tuple[str, tuple[str, ...]] | None]:
    """How far a forward pass comes: the tape of it, and the label of the call in which it fails, `forward`
    for the network's own code, with the calls that it takes from; None if it doesn't fail."""
    network.eval()
    writer = _Writer(network, inputs, True)
    watching = watched({ROOT: network, **modules}, writer.enter, writer.leave)
    try:
        with torch.no_grad(), watching, _slow_paths(), writer.leaving, writer:
            output = network(*inputs.values())
    except Exception:  # whatever a user's code raises
        return writer.cut_off()
    return writer.finish(output), None


@contextmanager
def _slow_paths() -> Iterator[None]:
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    # Where nothing was compiled, the compiler isn't even loaded.
    compiled = "torch._dynamo" in sys.modules
    eager = torch.compiler.set_stance("force_eager") if compiled else nullcontext()
    try:
        with eager:
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


# Products with sparse matrices, as the same of dense ones, and how many elements those may have.
PRODUCTS = {
    "_sparse_addmm": torch.ops.aten.addmm.default, "_sparse_mm": torch.ops.aten.mm.default,
    "mm": torch.ops.aten.mm.default, "addmm": torch.ops.aten.addmm.default,
}  # fmt: skip
DENSE = 50_000_000


def _dense(value: Any) -> Any:
    is_sparse = isinstance(value, Tensor) and value.layout != torch.strided
    return value.to_dense() if is_sparse else value


class _Leaving(TorchFunctionMode):
    """Notices values that leave torch for NumPy or Python."""

    def __init__(self, writer: "_Writer") -> None:
        super().__init__()
        self.writer = writer

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in LEAVING:
            self.writer.leaves(name.strip("_"), tensors_in(args))
        return func(*args, **(kwargs or {}))


class Watching(TorchDispatchMode):
    """What sees every operation."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch loads its compiler, two seconds, at the first operation, though nothing is compiled here."""
        return False


class _Writer(Watching):
    def __init__(self, network: nn.Module, inputs: dict[str, Tensor], zeros: bool) -> None:
        super().__init__()
        self.made, self.zeros = Record(), zeros
        self.alive: dict[int, tuple[int, StorageWeakRef]] = {}  # address → number
        self.shut: dict[int, Tensor] = {}  # where a softmax is zero by a mask
        self.low: dict[int, Tensor] = {}  # where scores are low by a constant that was added
        self.live: set[int] = set()  # storages that hold something made from the inputs
        self.origins: dict[int, dict[str, None]] = {}
        self.stack: list[tuple[str, int, dict[str, None], list[str]]] = []
        self.given: list[Tensor] = []  # what the call that began last was given
        self.counter, self.leaving = Counter(), _Leaving(self)
        for module_name, module in network.named_modules():
            for parameter in module.parameters(recurse=False):
                number = self._number(parameter)
                self.made.weights.setdefault(number, set()).add(module_name)
        for name, tensor in inputs.items():
            ref = self._ref(tensor)
            self.live.add(ref.storage)
            self.made.inputs[name] = ref
            self.origins[ref.storage] = {"calendar" if name == "calendar" else "inputs": None}

    # Calls

    def enter(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        number = self.counter.begin(name)
        self.given = tensors_in([args, kwargs])
        for outer in self.stack:
            outer[3].append(name)
        self.stack.append((name, number, {}, []))

    def leave(self, name: str, output: Any) -> Any:
        _, number, takes, inside = self.stack[-1]
        changed = None
        if name != ROOT and not inside:
            # Passed on as it came (a dropout that is off) or made of weights alone: a layer's output all the same.
            changed = _each_tensor(output, self._own)
        self.stack.pop()
        output = output if changed is None else changed
        tensors = tensors_in(output)
        refs = tuple(self._ref(t) if t.layout == torch.strided else None for t in tensors)
        if name != ROOT:
            leaf = not inside
            self.made.calls.put(
                name, number,
                Called(
                    name, name, len(self.made.ops), refs, tuple(tuple(t.shape) for t in tensors),
                    tuple(takes), leaf,
                ),
            )  # fmt: skip
            if leaf:
                for ref in refs:
                    if ref is not None:
                        self.origins[ref.storage] = {f"{name}:{number}": None}
        return changed

    def _own(self, tensor: Tensor) -> Tensor:
        if tensor.layout != torch.strided:
            return tensor
        number = self._number(tensor)
        if number in self.origins or number in self.made.weights:
            return tensor.clone()
        return tensor

    @property
    def where(self) -> str:
        """The label of the call that runs."""
        if not self.stack or self.stack[-1][0] == ROOT:
            return ""
        name, number = self.stack[-1][:2]
        return f"{name}:{number}"

    def leaves(self, name: str, tensors: list[Tensor]) -> None:
        """Note that values of tensors left torch."""
        if any(t.layout == torch.strided and self._number(t) in self.live for t in tensors):
            self.made.left.append((len(self.made.ops), said(name, self.where)))

    # Operations

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        taken = tensors_in((args, kwargs))
        sparse = [t for t in taken if t.layout != torch.strided]
        if name in PRODUCTS and sparse and sum(t.numel() for t in sparse) <= DENSE:
            # As of a matrix with zeros, which are known.
            dense = [_dense(a) for a in args]
            return self.__torch_dispatch__(PRODUCTS[name], types, dense, kwargs)
        if sparse:
            self.leaves(name, [t for t in taken if t.layout == torch.strided])
            return func(*args, **kwargs)
        numbers = [self._number(t) for t in taken]
        live = any(n in self.live for n in numbers)
        if live and name in READING:
            self.leaves(name.strip("_").replace("local_scalar_dense", "item"), taken)
        elif live and (deciding := _deciding(func, name, args, taken)):
            self.leaves(name.strip("_"), deciding)
        given = None
        if live or any(n in self.made.weights for n in numbers):
            # Before it runs: an operation in place changes what its arguments hold.
            # Whose positions, or masks, say what is read.
            whole = name.startswith(("grid_sampler", "_scaled_dot_product"))
            given = (
                _arguments(args, lambda t: self._seen(t, whole)),
                _arguments(kwargs, lambda t: self._seen(t, whole)),
            )
        out = func(*args, **kwargs)
        if live and any(t.layout != torch.strided for t in tensors_in([out])):
            # A sparse tensor of what comes in: which of its elements there are isn't known.
            self.leaves(name, taken)
        if given is None:
            return out
        written = [t for t in tensors_in(out) if isinstance(t, Tensor)]
        if any(t.layout != torch.strided for t in written):
            self.leaves(name, taken)
            return out
        if torch.Tag.inplace_view in func.tags:
            return out
        if not func._schema.is_mutable:
            # A view is the memory it is a view of.
            written = [t for t in written if self._number(t) not in numbers]
        if not written:
            return out
        if not live:
            made_of = set().union(*(self.made.weights.get(n, set()) for n in numbers))
            for tensor in written:
                self.made.weights.setdefault(self._number(tensor), set()).update(made_of)
            return out
        origins: dict[str, None] = {}
        for number in numbers:
            origins |= self.origins.get(number, {})
        for frame in self.stack:
            own = f"{frame[0]}:{frame[1]}"
            frame[2].update((o, None) for o in origins if o != own)
        refs = tuple(self._ref(t) for t in written)
        for ref in refs:
            self.live.add(ref.storage)
            kept = self.origins.get(ref.storage, {}) if func._schema.is_mutable else {}
            self.origins[ref.storage] = kept | origins
        shut: dict[int, Tensor] = {}
        if name.rstrip("_") == "add" and len(taken) == 2:
            for number, added in zip(numbers, taken, strict=True):
                if number not in self.live and is_mask(added):
                    self.low[self._number(written[0])] = spread(written[0], added <= LOW)
        if "softmax" in name:
            closed = masked(taken[0], args[1])
            if (low := self.low.get(numbers[0])) is not None:
                closed = closed | window(low, taken[0])
            if bool(closed.any()):
                shut[0] = closed
                self.shut[self._number(written[0])] = spread(written[0], closed)
        elif name in ("bmm", "mm", "clone"):
            shut = {
                place: window(self.shut[self._number(t)], t)
                for place, t in enumerate(taken)
                if self._number(t) in self.shut
            }
            if name == "clone" and shut:
                self.shut[self._number(written[0])] = spread(written[0], shut[0])
        self.made.ops.append(Op(name, func, *given, refs, self.where, shut))
        return out

    def _seen(self, tensor: Tensor, whole: bool) -> Ref | Constant:
        number = self._number(tensor)
        if number in self.live:
            return self._ref(tensor)
        shape = tuple(tensor.shape)
        weight = number if number in self.made.weights else None
        if whole or not (tensor.is_floating_point() or tensor.is_complex()):
            return Constant(shape, tensor.clone(), None, weight)
        support = None
        if self.zeros and tensor.numel() and not bool((zero := tensor == 0).logical_not().all()):
            support = ~zero
        return Constant(shape, None, support, weight)

    def _number(self, tensor: Tensor) -> int:
        weak = StorageWeakRef(tensor.untyped_storage())
        known = self.alive.get(weak.cdata)
        if known is None:
            known = (len(self.alive), weak)  # kept, so that no other storage gets its address
            self.alive[weak.cdata] = known
        return known[0]

    def _ref(self, tensor: Tensor) -> Ref:
        number, item = self._number(tensor), tensor.element_size()
        self.made.items[number] = min(item, self.made.items.get(number, item))
        self.made.bytes[number] = tensor.untyped_storage().nbytes()
        return Ref(
            number, tuple(tensor.shape), tuple(tensor.stride()), int(tensor.storage_offset()), item
        )

    def finish(self, output: Any) -> Record:
        """The record, with what `forward` returned and calls under their labels."""
        tensors = tensors_in(output)
        if tensors:
            self.made.output = self._ref(tensors[0])
            number = self.made.output.storage
            if number not in self.live and number not in self.made.weights:
                self.made.left.append(
                    (
                        len(self.made.ops),
                        "what `forward` returns, which no operation on the inputs was seen to make",
                    )
                )
            self.made.takes = self._labels(self.origins.get(self.made.output.storage, {}))
        for label, call in list(self.made.calls.items()):
            self.made.calls[label] = Called(
                label, call.module, call.end, call.outputs, call.shapes, self._labels(call.takes),
                call.leaf,
            )  # fmt: skip
        self.made.ops = [
            Op(o.name, o.func, o.args, o.kwargs, o.outputs, self._label(o.layer), o.shut)
            for o in self.made.ops
        ]
        return self.made

    def cut_off(self) -> tuple[Record, tuple[str, tuple[str, ...]]]:
        """The record of a pass that failed, the call that ran then, and what it takes: what it was given,
        or, of the network's own code, whatever nothing else has taken yet."""
        label = self.where
        takes: dict[str, None] = {}
        if label and not self.stack[-1][3]:
            for tensor in self.given:
                if tensor.layout == torch.strided:
                    takes |= self.origins.get(self._number(tensor), {})
        made = self.finish(None)
        if not takes:
            taken = {source for call in made.calls.values() for source in call.takes}
            takes = dict.fromkeys(
                k for k, call in made.calls.items() if call.leaf and k not in taken
            )
        return made, (label.removesuffix(":1") or "forward", self._labels(takes) or ("inputs",))

    def _label(self, key: str) -> str:
        name = key.rpartition(":")[0]
        return key if key in self.made.calls or name not in self.made.calls else name

    def _labels(self, keys: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._label(key) for key in keys))


def _deciding(func: Any, name: str, args: tuple[Any, ...], taken: list[Tensor]) -> list[Tensor]:
    """The tensors whose values an operation lets decide what a tape can't hold: a branch, or the size of
    what it gives."""
    if torch.Tag.data_dependent_output in func.tags:
        return taken
    if torch.Tag.dynamic_output_shape not in func.tags:
        return []
    if name == "index":  # only masks choose how many
        return [t for t in tensors_in(args[1:]) if t.dtype in (torch.bool, torch.uint8)]
    return tensors_in(args[1:]) if name == "masked_select" else taken


def _each_tensor(value: Any, change: Any) -> Any:
    """Tensors at the top of an output changed; None where they all stay as they are."""
    if isinstance(value, Tensor):
        made = change(value)
        return None if made is value else made
    if type(value) in (tuple, list):
        parts = [change(part) if isinstance(part, Tensor) else part for part in value]
        return (
            type(value)(parts)
            if any(a is not b for a, b in zip(parts, value, strict=True))
            else None
        )
    return None


def _arguments(value: Any, seen: Any) -> Any:
    if isinstance(value, Tensor):
        return seen(value)
    if isinstance(value, dict):
        return {key: _arguments(part, seen) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_arguments(part, seen) for part in value)
    return value
