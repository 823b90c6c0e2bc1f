"""Hostile inputs for the command line, drawn by generators (`tests/hostile`): what each answers.

    python bench/hostile.py --inputs 10000 --json

Each must end with exit 0, or 2 and one line; without a traceback or a fault that was not foreseen,
within 2 GB and 30 s, and with the data folder unharmed. They run in a few processes that are held
to 2.5 GB of data; one that ends or doesn't answer is a fall too. Every hundredth is tried in a process
of its own, with standard output closed, full, or a data folder that is none. The figures go to
bench/results/hostile.json.
"""

import argparse
import gc
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

RESULT = Path(__file__).parent / "results" / "hostile.json"
LIMIT = int(2.5e9)
LIFE = 200  # cases of a process
NOT_MADE = {"status": "not made", "said": "", "seconds": 0.0, "peak": 0.0, "wrong": ""}
PATIENCE = 60.0  # seconds that a case may take until its process is ended


def work(pipe: Connection) -> None:
    """Try the cases whose numbers come through the pipe."""
    import torch  # noqa: F401 (before memory is bounded: loading it takes more than it holds)

    from tests.hostile.case import make
    from tests.hostile.trying import Kept, prepared, tried

    with tempfile.TemporaryDirectory(prefix="hostile-") as top:
        store = prepared(Path(top) / "data")
        kept = Kept(store)
        pipe.send(None)
        while (seed := pipe.recv()) is not None:
            with tempfile.TemporaryDirectory(dir=top) as folder:
                try:
                    case = make(Random(seed), Path(folder), store)
                except UnicodeEncodeError:  # a name that this disk can't hold
                    pipe.send((seed, "not made", [], NOT_MADE))
                    continue
                gc.collect()
                pipe.send((seed, case.kind, case.arguments))
                # What makes the file may take what it likes; what reads it is bounded.
                resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, resource.RLIM_INFINITY))
                answer = tried(case, kept)
                resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2)
            pipe.send((seed, case.kind, case.arguments, vars(answer)))


def alone(seed: int) -> tuple[str, list[str], dict[str, Any]]:
    """A command in a process of its own, whose surroundings are hostile."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as top:
        root = Path(top) / "data"
        how = random.choice(
            ["closed", "full", "no folder", "read only", "below a file", "all closed"]
        )
        command = random.choice(
            [["cities"], ["cities", "--json"], ["runs"], ["grid", "sample"], ["dance"]]
        )
        if how == "no folder":
            root.write_text("a file")
        if how == "below a file":
            root.write_text("a file")
            root = root / "below"
        if how == "read only":
            root = Path("/proc/crimecast")
        shell = {"closed": " >&-", "full": " >/dev/full", "all closed": " >&- <&-"}.get(how, "")
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", f'exec "$@"{shell}', "-", sys.executable, "-m", "crimecast", *command],
            cwd=TOP, env={**os.environ, "CRIMECAST_DATA": str(root)}, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        said = done.stderr.decode("utf-8", "replace").strip()
        wrong = ""
        if "Traceback" in said or "not foreseen" in said:
            wrong = "a traceback" if "Traceback" in said else "not foreseen"
        elif done.returncode not in (0, 2) or len(said.splitlines()) != (done.returncode == 2):
            wrong = f"exit {done.returncode} and {len(said.splitlines())} lines"
        elif done.returncode == 0 and how not in ("closed", "all closed"):
            wrong = "nothing was said"
        answer = {
            "status": done.returncode,
            "said": said,
            "seconds": time.monotonic() - began,
            "peak": 0.0,
            "wrong": wrong,
        }
        return f"process: {how}", command, answer


class Worker:
    """A process that tries cases."""

    def __init__(self, context: Any) -> None:
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other,), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()
        self.now: tuple[Any, ...] = ()
        self.since = time.monotonic()
        self.tried = 0

    def give(self, seed: int) -> None:
        self.now, self.since = (seed, "being made", []), time.monotonic()
        self.pipe.send(seed)
        self.tried += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no case after that")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--show", type=int, default=3, help="examples of every way to fall")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ |= {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1", "CRIMECAST_OPERATORS": ""}
    seeds = iter(range(options.first, options.first + options.inputs))
    context = multiprocessing.get_context("spawn")
    workers: list[Worker] = []
    statuses: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    falls: defaultdict[str, list[Any]] = defaultdict(list)
    slowest, largest, began = 0.0, 0.0, time.monotonic()

    def note(seed: int, kind: str, arguments: list[str], answer: dict[str, Any]) -> None:
        nonlocal slowest, largest
        kinds[kind.partition(",")[0]] += 1
        statuses[str(answer["status"])] += 1
        slowest, largest = max(slowest, answer["seconds"]), max(largest, answer["peak"])
        if answer["wrong"]:
            falls[f"{kind.partition(',')[0]} | {answer['wrong']}"].append((seed, arguments, answer))
            print(f"{seed} {kind}: {answer['wrong']}: {arguments!r:.300} {answer['said'][:200]!r}\n{answer.get('trace', '')}", file=sys.stderr, flush=True)  # fmt: skip

    def next_of(worker: Worker) -> bool:
        for seed in seeds:
            if time.monotonic() - began > options.seconds:
                break
            if seed % 100 == 99:
                note(seed, *alone(seed))
                continue
            worker.give(seed)
            return True
        worker.pipe.send(None)
        return False

    for _ in range(options.processes):
        workers.append(Worker(context))
        if not next_of(workers[-1]):
            workers.pop()
    while workers:
        ready = wait([worker.pipe for worker in workers], timeout=1.0)
        for worker in [*workers]:
            ended = time.monotonic() - worker.since > PATIENCE
            if worker.pipe in ready:
                try:
                    message = worker.pipe.recv()
                    if len(message) == 3:
                        worker.now, worker.since = message, time.monotonic()
                        continue
                    note(*message)
                    if worker.tried >= LIFE:  # what libraries keep counts against the bound
                        worker.pipe.send(None)
                        workers[workers.index(worker)] = worker = Worker(context)
                    if not next_of(worker):
                        workers.remove(worker)
                    continue
                except EOFError:
                    ended = True
            if ended:
                worker.process.kill()
                worker.process.join()
                how = "its process ended" if worker.process.exitcode != -9 else "no answer"
                made = worker.now[1] != "being made"
                note(worker.now[0], worker.now[1], worker.now[2], NOT_MADE if not made else {"status": how, "said": "", "seconds": time.monotonic() - worker.since, "peak": 0.0, "wrong": how})  # fmt: skip
                workers.remove(worker)
                workers.append(Worker(context))
                if not next_of(workers[-1]):
                    workers.pop()
    result = {
        "inputs": statuses.total(),
        "tracebacks": sum(len(v) for k, v in falls.items() if k.endswith("a traceback")),
        "not_foreseen": sum(len(v) for k, v in falls.items() if k.endswith("not foreseen")),
        "fallen": sum(len(entries) for entries in falls.values()),
        "answers": dict(sorted(statuses.items())),
        "slowest_s": round(slowest, 1),
        "largest_mb": round(largest / 1e6),
        "seconds": round(time.monotonic() - began),
        "kinds": dict(kinds.most_common()),
        "fell": {
            key: {"count": len(v), "examples": [[s, [a[:200] for a in args], answer["said"][:300]] for s, args, answer in v[: options.show]]}
            for key, v in sorted(falls.items(), key=lambda item: -len(item[1]))
        },
    }  # fmt: skip
    if options.inputs >= 10_000:  # as many as there was time for
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1) if options.json else result)


if __name__ == "__main__":
    main()
