"""The published tables made again, with the design `stack` trained on each paper's tensors under its protocol.

    python bench/papers.py --data FOLDER

FOLDER holds the papers' tensors. Three seeds are trained on the days of training, for as long as the days of
validation found best, then with those too, and averaged; nothing sees a day of the test. Writes results/papers.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
RESULT = TOP / "bench" / "results" / "papers.md"
PAPERS = ("sthsl_chicago", "crimeforecaster_chicago")
SEEDS = 3
SHOWN = ("mean", "seasonal_mean", "decayed_mean", "hawkes", "memory_mixture", "boosting")


def told(*words: str) -> str:
    """What the command line prints."""
    command = [sys.executable, "-m", "crimecast", *words]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    folder = str(options.data.resolve())
    os.environ["CRIMECAST_DATA"] = tempfile.mkdtemp()
    os.environ["CRIMECAST_PREPARE"] = "0"
    lines = ["# Published tables, made again", "", "By `python bench/papers.py`.", ""]
    for name in PAPERS:
        made: dict[str, Any] = json.loads(told("paper", name, "--data", folder, "mean", "--json"))
        cuts = "--train-until", made["validation"], "--validate-until", made["test"]
        began, runs = time.monotonic(), []
        for seed in range(SEEDS):
            words = ("train", made["grid"], "--design", "stack", *cuts, "--seed", str(seed), "--refit", "--wait", "--json")  # fmt: skip
            runs.append(json.loads(told(*words))["run"])
        seconds = time.monotonic() - began
        together = "+".join(runs)
        text = told("paper", name, "--data", folder, *SHOWN, together)
        own = f"stack, {SEEDS} seeds averaged"
        title, _, rest = text.replace(together, own.ljust(len(together))).partition("\n")
        table, _, notes = rest.partition("\nNotes:\n")
        # As wide as the names are now.
        cut = [
            (line[: len(together)].rstrip(), line[len(together) :]) for line in table.splitlines()
        ]
        widest = max(len(first) for first, _ in cut)
        table = "\n".join(first.ljust(widest) + more for first, more in cut)
        lines += [
            f"## {title.partition('; grid')[0]}", "",
            f"Tested from {made['test']} on; {SEEDS} seeds were trained in {seconds:.0f} s.", "",
            "```", table, "```", "", *(f"- {note}" for note in notes.strip().splitlines()), "",
        ]  # fmt: skip
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
