"""A trained network for other programs: as ONNX, and as a program of torch.export."""

import contextlib
import io
import json
import logging
import re
from pathlib import Path
from typing import Any

import torch

from crimecast import UserError
from crimecast.forecasting.forecasts import load_network, samples_of
from crimecast.grids.cube import load_cube
from crimecast.runs.run import Run
from crimecast.storage.store import replacing

INPUTS = ("history", "calendar", "static")
OUTPUT = "log_rate"
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def export_network(run: Run, path: Path) -> dict[str, Any]:
    """Write a run's network to `path`, by its suffix .onnx or .pt2; returns the shapes it takes.

    It takes history (B, L, C, H, W), calendar (B, F) and static (B, S, H, W) and gives
    (B, C, H, W): the log rate, or what is to be added to the logarithm of the offset. B is free.
    Raises UserError for another suffix, or a module that can't be exported.
    """
    if path.suffix not in (".onnx", ".pt2"):
        raise UserError(f"A network can be written as .onnx or .pt2, not as '{path.suffix}'.")
    network, note = load_network(run)
    samples = samples_of(run, load_cube(run.grid), note)
    batch = samples.batch(torch.arange(samples.first, samples.first + 2))
    example = (batch.history, batch.calendar, batch.static)
    shapes = {name: ["B", *part.shape[1:]] for name, part in zip(INPUTS, example, strict=True)}
    design = run.design
    about = {
        "run": run.id, "grid": run.grid, "lags": list(design.lags), "offset": design.offset,
        "gives": "log rate" if design.offset == "none" else "log rate minus the logarithm of the offset",
    }  # fmt: skip
    three = samples.batch(torch.arange(samples.first, samples.first + 3))
    other = (three.history, three.calendar, three.static)
    write_network(network, example, other, path, about, f"The network of {run.id}")
    return {"out": str(path), "takes": shapes, **about}


def write_network(
    network: torch.nn.Module, example: Inputs, other: Inputs, path: Path, about: dict[str, Any], name: str
) -> None:  # fmt: skip
    """Write any network by the suffix of `path`, traced on `example` and tried on `other`, a batch of
    another size. Raises UserError, which calls it `name`, if that can't be done."""
    free = torch.export.Dim("B", min=1)
    dynamic = tuple({0: free} for _ in INPUTS)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of packages nobody asked for
    try:
        if any(isinstance(module, torch.jit.ScriptModule) for module in network.modules()):
            raise TypeError("a scripted module")
        with contextlib.redirect_stderr(io.StringIO()):  # where it prints the graph that it gave up
            program = torch.export.export(network, example, dynamic_shapes=dynamic)
        _same(program, network, other)
        with replacing(path) as temporary:
            if path.suffix == ".pt2":
                renamed = temporary.with_suffix(".pt2")
                torch.export.save(program, renamed, extra_files={"about.json": json.dumps(about)})
                renamed.rename(temporary)
            else:
                made = torch.onnx.export(
                    program, example, input_names=list(INPUTS), output_names=[OUTPUT], verbose=False
                )
                assert made is not None
                made.model.metadata_props.update({k: str(v) for k, v in about.items()})
                made.save(temporary)
    except (
        Exception
    ) as error:  # the exporters fail in many ways, each of which is told in a sentence
        raise UserError(f"{name} can't be exported: {_reason(error)}.") from None


class _OtherError(Exception):
    """What was exported isn't what was to be exported."""


def _same(program: Any, network: torch.nn.Module, inputs: Inputs) -> None:
    """Raise unless the exported program gives what the network does: what a module does in Python may
    have been fixed to the example."""
    with torch.no_grad():
        ours, theirs = network(*inputs), program.module()(*inputs)
    if not torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4):
        apart = float((ours - theirs).abs().max())
        raise _OtherError(f"what is exported gives forecasts up to {apart:.2g} apart")


def _reason(error: BaseException) -> str:
    """Why, in the first words of what is at the bottom of an exporter's error."""
    text = str(error)
    if isinstance(error, _OtherError):
        return text
    if "data-dependent" in text or "DataDependent" in type(error).__name__:
        return (
            "what it does depends on values of its inputs (an `if` or a number taken from a tensor)"
        )
    if "Constraints violated" in text:
        return "it fixes how many samples a batch has"
    if "numpy" in text:
        return "it works with NumPy in its forward"
    if "ScriptModule" in text or "scripted" in text:
        return "it holds a scripted module (torch.jit.script)"
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = [line for line in str(cause).splitlines() if line.strip()]
    first = re.sub(r"\x1b\[[0-9;]*m", "", lines[0]).strip() if lines else "no reason was given"
    return f"{type(cause).__name__}: {first[:200].rstrip('.')}"
