"""A trained network for other programs: as ONNX, and as a program of torch.export."""

import json
import logging
from pathlib import Path
from typing import Any

import torch

from crimecast.errors import UserError
from crimecast.forecasting.forecasts import load_network, samples_of
from crimecast.grids.cube import load_cube
from crimecast.runs.run import Run
from crimecast.storage.store import replacing

INPUTS = ("history", "calendar", "static")
OUTPUT = "log_rate"


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
    free = torch.export.Dim("B", min=1)
    dynamic = {name: {0: free} for name in INPUTS}
    design = run.design
    about = {
        "run": run.id, "grid": run.grid, "lags": list(design.lags), "offset": design.offset,
        "gives": "log rate" if design.offset == "none" else "log rate minus the logarithm of the offset",
    }  # fmt: skip
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of packages nobody asked for
    try:
        program = torch.export.export(network, example, dynamic_shapes=tuple(dynamic.values()))
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
    except (torch._dynamo.exc.TorchDynamoException, torch.onnx.errors.OnnxExporterError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"The network of {run.id} can't be exported: {first}") from None
    return {"out": str(path), "takes": shapes, **about}
