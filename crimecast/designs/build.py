"""Spec → torch network, and a user's own module beside it, behind one call."""

import ast
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from crimecast import UserError
from crimecast.designs import layers, remembering, sequences
from crimecast.designs.inputs import map_count, past_count
from crimecast.designs.likelihoods import LIKELIHOODS
from crimecast.designs.shapes import FRAMES, HISTORY, MAPS, PAST, Laid, lay_out
from crimecast.designs.spec import Design

# Torch's fused transformer layers hide the layers inside of them, and round otherwise than these:
# what is looked into is to be what forecasts.
torch.backends.mha.set_fastpath_enabled(False)

MODULES: dict[str, Callable[..., nn.Module]] = {
    "conv": layers.Conv,
    "separable": layers.Separable,
    "conv3d": sequences.Conv3d,
    "convlstm": sequences.ConvLSTM,
    "convgru": sequences.ConvGRU,
    "lag_attention": sequences.LagAttention,
    "flatten": sequences.Flatten,
    "memory": remembering.Memory,
    "contrast": remembering.Contrast,
    "mixture": remembering.Mixture,
    "select": sequences.Select,
    "pool": layers.Pool,
    "upsample": layers.Upsample,
    "add": layers.Add,
    "concat": layers.Concat,
    "fuse": layers.Fuse,
    "norm": layers.Norm,
    "film": layers.Film,
    "squeeze": layers.Squeeze,
    "dropout": layers.Dropout,
    "cell_bias": layers.CellBias,
    "embedding": layers.Embedding,
    "external": layers.External,
    "head": layers.Head,
}


class Network(nn.Module):
    """The network of a spec; `blocks` holds one module a layer, under the layer's own name.

    forward(history (B, L, C, H, W), calendar (B, F), static (B, S, H, W)) → (B, C, H, W): the log
    rate, or what is added to the logarithm of the offset where the design has one.
    """

    def __init__(
        self, laid: list[Laid], design: Design, types: int, calendar: int, likelihood: nn.Module
    ) -> None:
        super().__init__()
        lags = design.lags
        self.maps = map_count(design, types) - past_count(design, types)
        self.likelihood = likelihood
        self.laid = laid
        self.blocks = nn.ModuleDict(
            {p.layer.name: _module(p, design, types, calendar) for p in laid}
        )
        last = self.blocks[laid[-1].layer.name]
        assert isinstance(last, layers.Head)  # lay_out() has seen to it
        last.start_at_zero()
        self.oldest_first = sorted(range(len(lags)), key=lambda i: -lags[i])

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        # Counts are compressed so that one busy cell doesn't drown the rest.
        history = torch.log1p(history)
        static, past = static[:, : self.maps], static[:, self.maps :]
        frames = torch.cat([history.flatten(1, 2), static], dim=1)
        if history.device.type == "cpu" or history.is_cuda:
            frames = frames.contiguous(memory_format=torch.channels_last)
        known = {FRAMES: frames, HISTORY: history[:, self.oldest_first], MAPS: static, PAST: past}
        for laid in self.laid:
            block = self.blocks[laid.layer.name]
            inputs = [known[name] for name in laid.inputs]
            if getattr(block, "wants_calendar", False):
                inputs.append(calendar)
            known[laid.layer.name] = block(*inputs)
        return known[self.laid[-1].layer.name]


def _module(laid: Laid, design: Design, types: int, calendar: int) -> nn.Module:
    maker = MODULES[laid.layer.kind]
    if getattr(maker, "wants_calendar", False):
        return maker(laid, calendar)
    if laid.layer.kind == "contrast":
        return maker(laid, types)
    if laid.layer.kind == "select":
        return maker(laid, design.lags)
    return maker(laid, design) if laid.layer.kind == "memory" else maker(laid)


def build(
    design: Design, types: int, height: int, width: int, calendar: int, seed: int = 0
) -> nn.Module:
    """The network of a design for cubes of that shape, its weights drawn from `seed`.

    Raises UserError for a spec whose shapes clash, or a module that can't be loaded.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if design.module is not None:
            return load_module(design.module)
        laid = lay_out(design, types, height, width, calendar)
        return Network(laid, design, types, calendar, LIKELIHOODS[design.likelihood](types))


def modules_allowed() -> bool:
    """Whether users' own modules may be run here."""
    return os.environ.get("CRIMECAST_ALLOW_MODULES", "1") != "0"


def module_classes(path: Path) -> list[str]:
    """Names of the classes of a Python file that may be networks, those that say so first; nothing of it is
    run. Raises UserError if it is no Python, or has no class."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise UserError(f"{path.name} is no Python{line}.") from None
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if not classes:
        raise UserError(f"{path.name} has no class.")
    said = [
        any(ast.unparse(base).split(".")[-1] == "Module" for base in one.bases) for one in classes
    ]
    return [
        one.name for one, _ in sorted(zip(classes, said, strict=True), key=lambda both: not both[1])
    ]


def load_module(reference: str) -> nn.Module:
    """Run a user's file and make its class: `FILE.py:Class`. This runs the file's code.

    Raises UserError if the server forbids it (CRIMECAST_ALLOW_MODULES=0) or it can't be made.
    """
    if not modules_allowed():
        raise UserError("This server doesn't run users' own modules.")
    path, _, name = reference.rpartition(":")
    label = f"crimecast_user_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(label, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} can't be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[label] = module
    file = Path(path).name
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's code raises is theirs to read, in one line
        raise UserError(f"{file} can't be run{_line(error, path)}: {_short(error)}.") from None
    maker = getattr(module, name, None)
    if maker is None:
        raise UserError(f"{file} has no class {name}.")
    try:
        network = maker()
    except Exception as error:
        raise UserError(
            f"{name} in {file} can't be made{_line(error, path)}: {_short(error)}."
        ) from None
    if not isinstance(network, nn.Module):
        raise UserError(f"{name} in {Path(path).name} is not a torch.nn.Module.")
    return network


def line_of(error: BaseException, file: str) -> int | None:
    """The last line of a user's file that an error went through."""
    path = str(Path(file).resolve())
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    found = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if str(Path(frame.f_code.co_filename).resolve()) == path:
            found = number
    return found


def _line(error: BaseException, file: str) -> str:
    number = line_of(error, file)
    return f" (line {number})" if number else ""


def _short(error: BaseException) -> str:
    first = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
    return f"{type(error).__name__}{': ' if first else ''}{first}"


def named_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers one can look at: of a spec its own, of a user's module every submodule that can run.

    What a weight is made by (`torch.nn.utils.parametrize`) belongs to its layer, and what was
    scripted is one layer: inside it nothing can be followed.
    """
    if isinstance(network, Network):
        return dict(network.blocks.items())
    return dict(_submodules(network, "", {network}))


def _submodules(
    module: nn.Module, prefix: str, known: set[nn.Module]
) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(module, torch.jit.ScriptModule):
        return
    for name, child in module.named_children():
        if child in known or (name == "parametrizations" and is_parametrized(module)):
            continue
        known.add(child)  # a module under two names is one
        yield f"{prefix}{name}", child
        yield from _submodules(child, f"{prefix}{name}.", known)
