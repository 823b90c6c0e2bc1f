"""Write faults: commands ended, or refused by the disk, at every system call that writes.

    python bench/faults.py --faults 1000 --kills 300 --json

Needs strace and a C compiler. Each try is a copy of a small data folder, a command with one fault (tests/faulting.py), and
then: everything opens, nothing is half there, no lock is held, the same command does its work now, and a day
later no temporary file is left. The figures go to bench/results/faults.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.faulting import Bench, Fault, preloaded, preloading, summary

RESULT = Path(__file__).parent / "results" / "faults.json"


def drawn(random: Random, every: list[Fault], count: int) -> list[Fault]:
    """Each of them as often as any other, in an order of chance."""
    made: list[Fault] = []
    while every and len(made) < count:
        made += random.sample(every, min(len(every), count - len(made)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=7200.0, help="begin no try after that")
    parser.add_argument("--works", nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not preloaded():
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, *sys.argv], env=preloading(Path(folder)), check=False
            )
        raise SystemExit(done.returncode)
    random, began = Random(0), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as top:
        bench = Bench(Path(top))
        every = bench.faults(works=tuple(options.works))
        chosen = drawn(random, [f for f in every if f.kind != "KILL"], options.faults)
        chosen += drawn(random, [f for f in every if f.kind == "KILL"], options.kills)
        random.shuffle(chosen)
        results = []
        for fault in chosen:
            if time.monotonic() - began > options.seconds:
                break
            results.append((fault, bench.tried(fault)))
            if results[-1][1]:
                print(*results[-1], file=sys.stderr, flush=True)
    made = {"possible": len(every), **summary(results), "seconds": round(time.monotonic() - began)}
    if not options.works:
        RESULT.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1) if options.json else made)


if __name__ == "__main__":
    main()
