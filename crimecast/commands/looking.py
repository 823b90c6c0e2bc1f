"""What the commands that look into a run do."""

import argparse
from typing import Any

from crimecast.commands.ready import ready
from crimecast.errors import UserError


def inspect(options: argparse.Namespace) -> tuple[Any, str]:
    """Save activations as NPZ, one array (channels, height, width) a layer."""
    import numpy as np

    from crimecast.inspect.activations import activations
    from crimecast.runs import load_run
    from crimecast.store import replacing
    from crimecast.windows import load_cube

    ready()
    run = load_run(options.run)
    cube = load_cube(run.grid)
    step = cube.index(options.at, "--at")
    if options.out.suffix != ".npz":
        raise UserError(f"Activations are written as .npz, not as '{options.out.suffix}'.")
    if not options.out.resolve().parent.is_dir():
        raise UserError(f"There is no folder {options.out.parent}.")
    caught = activations(run, step, [options.layer] if options.layer else None)
    with replacing(options.out.resolve()) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **caught)  # type: ignore[arg-type]
    shapes = {name: list(array.shape) for name, array in caught.items()}
    result = {
        "run": run.id,
        "at": str(cube.times[step])[:16],
        "layers": shapes,
        "out": str(options.out),
    }
    return result, "\n".join(
        f"{name:<16} {'×'.join(map(str, shape))}" for name, shape in shapes.items()
    )
