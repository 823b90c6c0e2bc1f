"""The self-proof of what is shown of a network: seconds and peak memory, beside one plain forward pass.

    python bench/proving.py [--json]

Of the designs that ship, with random weights, on the sample city's grid and on one of Chicago's size; and of a
residual network of 50 layers of 512 channels. Each in a process of its own. `passes` is how many forward
passes of the same network take as long. The figures go to bench/results/proving.json.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from crimecast.machine.slots import WAITING

os.environ |= WAITING  # before torch is loaded, as the app has it

import torch
from torch import Tensor, nn

from crimecast.designs.build import build
from crimecast.designs.inputs import map_count
from crimecast.designs.spec import load_design
from crimecast.inspect.notebook import look

RESULT = Path(__file__).parent / "results" / "proving.json"
DESIGNS = ("stack", "stack_plain", "st_resnet", "st_resnet_plain", "recurrent", "recurrent_plain")
GRIDS = {"sample": (22, 23), "chicago": (86, 69)}
DEEP = "50 layers, 512 channels"


class Deep(nn.Module):
    """25 residual blocks of two convolutions."""

    def __init__(self, channels: int = 512, blocks: int = 25) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, channels, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
            )
            for _ in range(blocks)
        )  # fmt: skip
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.first(torch.log1p(history).flatten(1, 2))
        for block in self.blocks:
            x = x + 0.1 * block(x)
        return self.last(x)


def measured(name: str, grid: str) -> dict[str, Any]:
    """Prove one network, once."""
    torch.manual_seed(0)
    height, width = GRIDS[grid]
    if name == DEEP:
        network: nn.Module = Deep()
        lags, maps = 4, 0
    else:
        design = load_design(name)
        network = build(design, 1, height, width, 11)
        lags, maps = len(design.lags), map_count(design, 1)
        for weights in network.parameters():  # a head begins at zero: nothing would reach it
            weights.data += 0.05 * torch.randn(weights.shape)
    history = torch.poisson(torch.ones(lags, 1, height, width))
    static = torch.randn(maps, height, width)
    one = look(network, history.numpy(), torch.rand(11).numpy(), static.numpy())
    took = []
    for _ in range(5):
        began = time.perf_counter()
        one.forecast()
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    proof = one.prove()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "network": name, "grid": f"{height}×{width}", "seconds": round(seconds, 2), "proven": proof.proven,
        "doubts": len(proof.doubts), "layers": len(proof.layers), "pass_s": round(statistics.median(took), 4),
        "passes": round(seconds / statistics.median(took)), "peak_bytes": peak,
    }  # fmt: skip


def main() -> None:
    """Measure all, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("NETWORK", "GRID"))
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(*options.one)))
        return
    made = []
    for name, grid in [*((d, g) for g in GRIDS for d in DESIGNS), (DEEP, "sample")]:
        command = [sys.executable, __file__, "--one", name, grid]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        made.append(json.loads(done.stdout.splitlines()[-1]))
        if not options.json:
            print(made[-1])
    RESULT.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
