"""The calls of a network's modules, told apart: `act` where a module runs once in a pass, else
`act:1`, `act:2`, … in the order in which it runs.

A call is seen whether the module is called or its `forward` is (modules that were scripted only when
they are called). Parametrisations of a weight (`torch.nn.utils.parametrize`) belong to the layer
whose weight they make.
"""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from crimecast import UserError

Enter = Callable[[str, tuple[Any, ...], dict[str, Any]], None]
Leave = Callable[[str, Any], Any]
ROOT = ""


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors of nested arguments or outputs, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = tuple(vars(value).values())
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


def first_tensor(value: Any) -> Tensor | None:
    """What stands for a module's output: the first tensor in it."""
    return next(iter(tensors_in(value)), None)


@contextmanager
def watched(modules: dict[str, nn.Module], enter: Enter, leave: Leave) -> Iterator[None]:
    """Inside the block `enter(name, args, kwargs)` is called when a module begins, `leave(name,
    output)` when it ends; what the latter returns, unless None, takes the output's place.

    Raises UserError at its end if a module ran in another thread: which call belongs into which can't be
    told then."""
    undo: list[Callable[[], object]] = []
    here, astray, mapped = threading.get_ident(), set[str](), set[str]()

    def began(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != here:
            astray.add(name)
        elif any(map(_is_mapped, tensors_in([args, kwargs]))):
            mapped.add(name)
        else:
            enter(name, args, kwargs)

    def ended(name: str, output: Any) -> Any:
        inside = threading.get_ident() == here and name not in mapped
        return leave(name, output) if inside else None

    known: set[int] = set()
    try:
        for name, module in modules.items():
            if id(module) in known:  # the same module under two names
                continue
            known.add(id(module))
            own = module._forward_hooks or module._forward_pre_hooks
            if own and not isinstance(module, torch.jit.ScriptModule):
                undo += _hooked(name, module, began, ended)
            else:
                undo.append(_wrapped(name, module, began, ended))
        yield
    finally:
        for back in undo:
            back()
    if mapped:
        raise UserError(
            f"`{min(mapped)}` runs inside torch.vmap or another transform of torch.func, where it can't be followed: call it by itself, with the whole batch."
        )
    if astray:
        raise UserError(
            f"`{min(astray)}` runs in another thread of `forward`, where it can't be followed: call the layers one after the other."
        )


def _is_mapped(tensor: Tensor) -> bool:
    """Whether a tensor is one of torch.vmap's, which has no memory of its own."""
    try:
        tensor.untyped_storage()
    except NotImplementedError:
        return tensor.layout == torch.strided
    return False


def _hooked(name: str, module: nn.Module, enter: Enter, leave: Leave) -> list[Callable[[], object]]:
    """For what has hooks of its own, which may change what it gives."""
    before = module.register_forward_pre_hook(
        lambda _module, args, kwargs: enter(name, args, kwargs), with_kwargs=True, prepend=True
    )
    after = module.register_forward_hook(lambda _module, _args, output: leave(name, output))
    return [before.remove, after.remove]


def _wrapped(name: str, module: nn.Module, enter: Enter, leave: Leave) -> Callable[[], object]:
    own = vars(module).get("forward")
    forward = module.forward

    def call(*args: Any, **kwargs: Any) -> Any:
        enter(name, args, kwargs)
        output = forward(*args, **kwargs)
        changed = leave(name, output)
        return output if changed is None else changed

    call.__wrapped__ = forward  # type: ignore[attr-defined]  # whoever asks for its signature
    object.__setattr__(module, "forward", call)

    def back() -> None:
        if own is None:
            object.__delattr__(module, "forward")
        else:
            object.__setattr__(module, "forward", own)

    return back


class Counter:
    """Numbers the calls of each module within a pass; the root's call begins a new one."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def begin(self, name: str) -> int:
        """The number of a call that begins, from 1."""
        if name == ROOT:
            self.counts.clear()
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]


def split(label: str) -> tuple[str, int | None]:
    """`act:2` → `act` and 2; `act` → `act` and None, all of its calls."""
    name, colon, number = label.rpartition(":")
    return (
        (name, int(number)) if colon and number.isdecimal() and len(number) < 10 else (label, None)
    )


class Outputs(dict[str, Any]):
    """What each call gave, under its label: a module's first goes by its name alone until there is a
    second."""

    def put(self, name: str, number: int, value: Any) -> None:
        """Keep what call `number` of a module gave."""
        if number == 1:
            self[name] = value
        else:
            if number == 2:
                items = list(self.items())
                self.clear()
                self.update((f"{name}:1" if key == name else key, kept) for key, kept in items)
            self[f"{name}:{number}"] = value


def instead(output: object, old: Tensor, new: Tensor) -> object:
    """An output with one of its tensors replaced."""
    if output is old:
        return new
    if isinstance(output, tuple | list):
        parts: list[Any] = [instead(part, old, new) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    if isinstance(output, dict):
        for key, part in output.items():
            output[key] = instead(part, old, new)
    return output
