"""What a user's own module must keep to, tried before it trains: made once and run on a small batch.

It must return the log rate, (B, C, H, W) real and finite numbers; the same for the same inputs (from
the same random numbers), for each sample whatever else is in the batch; and a gradient must reach
its weights. Tried in a process of its own, so that one that never ends, ends itself, starts others or
floods its log does no more harm than that.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from crimecast import UserError
from crimecast.designs.build import build
from crimecast.designs.spec import Design
from crimecast.storage.store import PACKAGE, read_json, scratch, write_json
from crimecast.training.promises import Kept, check
from crimecast.training.reached import keep, reached_by
from crimecast.training.samples import Batch

FEW = 3  # samples of the batch that is tried
BUSY, LONG = 60.0, 300.0  # seconds: of work after which it is given up, and at all
PRINTED = 1_000_000  # characters that it may print
LOGGED = 20_000  # of these are kept in the run's log


def tried(design: Design, batch: Batch, mask: Tensor, seed: int, device: str, folder: Path) -> Kept:
    """Try a run's own module on a batch and keep what was seen in the run's folder, so that a run that
    goes on isn't tried again. Raises UserError, in one sentence, where it breaks the contract."""
    assert design.module is not None
    path = folder / "contract.json"
    source = Path(design.module.rpartition(":")[0])
    stamp = [
        source.read_text(encoding="utf-8", errors="replace"),
        list(batch.target.shape[1:]),
        device,
    ]
    if path.exists() and (known := read_json(path))["stamp"] == stamp:
        return Kept(tuple(known["warnings"]), known["half"])
    made = _elsewhere(design, batch, mask, seed, device)
    keep(folder, made.pop("reached", None))
    if "error" in made:
        raise UserError(made["error"])
    kept = Kept(tuple(made["warnings"]), made["half"])
    write_json(path, {"stamp": stamp, **made})
    return kept


def warnings_of(folder: Path) -> tuple[str, ...]:
    """What there is to point out about a run's own module; nothing of a spec's network."""
    path = folder / "contract.json"
    return tuple(read_json(path)["warnings"]) if path.exists() else ()


def _elsewhere(
    design: Design, batch: Batch, mask: Tensor, seed: int, device: str
) -> dict[str, Any]:
    """Try it in a process of its own and wait for its verdict."""
    assert design.module is not None
    file, _, name = design.module.rpartition(":")
    with scratch() as place:
        tensors = {key: value.cpu().float().contiguous() for key, value in vars(batch).items()}
        save_file(tensors | {"mask": mask.cpu()}, Path(place) / "batch.safetensors")
        task = {
            "module": f"{Path(file).resolve()}:{name}", "seed": seed, "device": device,
            "deterministic": design.training.deterministic,
        }  # fmt: skip
        write_json(Path(place) / "task.json", task)
        process = subprocess.Popen(
            [sys.executable, "-m", "crimecast.training.contract", place],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, cwd=PACKAGE.parent,
        )  # fmt: skip
        reader = _Reader(process)
        try:
            ended = _waited(process, reader, Path(place) / "stage")
        finally:
            _end(process)
        stage = _read(Path(place) / "stage") or "loaded"
        verdict = Path(place) / "verdict.json"
        if ended:
            raise UserError(f"{name} {ended} while it was {stage}.")
        if not verdict.exists():
            how = _ending(process.returncode)
            raise UserError(f"{name} {how} while it was {stage}.")
        made: dict[str, Any] = read_json(verdict)
    return made


def _waited(process: subprocess.Popen[bytes], reader: "_Reader", stage: Path) -> str:
    """Wait until it has ended; else what it did that it is ended for."""
    began: float | None = None
    while process.poll() is None:
        if reader.printed > PRINTED:
            return f"prints more than {PRINTED // 1_000_000} MB"
        if began is None and stage.exists():
            began = time.monotonic()
        if began is not None and (seconds := time.monotonic() - began) > BUSY:
            worked = _worked(process.pid)
            # Neither hurried on a busy machine, nor waited for where it only sleeps.
            if seconds > LONG or not BUSY / 30 < worked < BUSY / 3:
                return f"took longer than {seconds:.0f} seconds"
        time.sleep(0.05)
    reader.thread.join(timeout=1.0)
    return ""


def _worked(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    except psutil.NoSuchProcess:
        return 0.0


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process, and whatever it started that is still of its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed, perhaps for want of memory,"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended its process by itself (exit code {code})"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


class _Reader:
    """Takes what a process prints, counts it, and passes the beginning on to this one's log."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.printed, self.process = 0, process
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while part := os.read(self.process.stdout.fileno(), 65536):
            room = max(0, LOGGED - self.printed)
            if room:
                print(part[:room].decode(errors="replace"), end="", file=sys.stderr, flush=True)
            self.printed += len(part)


def main(folder: str) -> int:
    """In the process of its own: leave a verdict in the folder."""
    _end_with_parent()
    place = Path(folder)
    task = read_json(place / "task.json")
    forked: list[str] = []
    network: nn.Module | None = None
    sys.addaudithook(_no_forks(forked))

    def at(stage: str) -> None:
        (place / "stage").write_text(stage, encoding="utf-8")

    try:
        tensors = load_file(place / "batch.safetensors")
        mask = tensors.pop("mask").bool()
        at("made")
        design = Design("module", module=task["module"])
        _, types, height, width = tensors["target"].shape
        network = build(design, types, height, width, tensors["calendar"].shape[1], task["seed"])
        at("run on a first batch")
        kept = check(
            network, Batch(**tensors), mask, task["module"], task["device"], task["deterministic"]
        )
        verdict: dict[str, Any] = {"warnings": kept.warnings, "half": kept.half}
    except UserError as error:
        verdict = {"error": str(error)}
        if network is not None:
            at("drawn")
            verdict["reached"] = reached_by(network, Batch(**tensors).first(1))
    except MemoryError:
        verdict = {"error": f"{_name(task['module'])} needs more memory than there is."}
    except SystemExit:
        verdict = {"error": f"{_name(task['module'])} ends the process (sys.exit)."}
    if forked:
        verdict = {"error": f"{_name(task['module'])} starts other processes ({forked[0]})."}
    write_json(place / "verdict.json", verdict)
    sys.stdout.flush()
    os._exit(0)  # whatever its threads are about


def _end_with_parent() -> None:
    """Where the system can, be ended with the worker: nobody else would end a loop without end."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _no_forks(seen: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """A copy of this process would go on as if it were the first."""

    def hook(event: str, _args: tuple[Any, ...]) -> None:
        if event in ("os.fork", "os.forkpty"):
            seen.append(event)
            raise RuntimeError("a network may not start other processes")

    return hook


def _name(module: str) -> str:
    return module.rpartition(":")[2]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
