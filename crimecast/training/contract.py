"""What a user's own module must keep to, tried before it trains: made once and run on a small batch.

It must return the log rate, (B, C, H, W) real and finite numbers; the same for the same inputs (from
the same random numbers), for each sample whatever else is in the batch; and a gradient must reach
its weights. Tried in a process of its own, so that one that never ends, ends itself, starts others or
floods its log does no more harm than that.
"""

import contextlib
import ctypes
import inspect
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from crimecast import UserError
from crimecast.designs.build import build, line_of
from crimecast.designs.spec import Design
from crimecast.storage.store import PACKAGE, read_json, scratch, write_json
from crimecast.training.optimising import mixed_precision
from crimecast.training.reached import keep, reached_by
from crimecast.training.samples import Batch, log_rate, loss_of

FEW = 3  # samples of the batch that is tried
BUSY, LONG = 60.0, 300.0  # seconds: of work after which it is given up, and at all
PRINTED = 1_000_000  # characters that it may print
LOGGED = 20_000  # of these are kept in the run's log
# What gives nothing below zero, as the last thing that a network does.
RATES = {
    "exp": "an exponential", "softplus": "a softplus", "relu": "a ReLU", "sigmoid": "a sigmoid",
    "abs": "an absolute value", "square": "a square", "_softmax": "a softmax", "exp2": "an exponential",
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What was seen of a module that keeps to the contract: what to point out about it, and whether its
    products can be in half precision."""

    warnings: tuple[str, ...] = ()
    half: bool = True


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


def check(
    network: nn.Module, batch: Batch, mask: Tensor, module: str, device: str = "cpu",
    deterministic: bool = False,
) -> Kept:  # fmt: skip
    """Try a network on a batch. `module` is `FILE.py:Class`, whose lines are named.

    Raises UserError in one sentence where it breaks the contract.
    """
    trial = _Trial(network.to(device), batch, mask.to(device), module, device)
    if not any(p.requires_grad for p in network.parameters()):
        frozen = any(True for _ in network.parameters())
        why = ": none of them asks for a gradient (requires_grad)" if frozen else ""
        raise UserError(f"{trial.name} has no weights to learn{why}.")
    random = trial.repeats()
    if not random:
        trial.apart()
    half = trial.learns(deterministic)
    warnings = []
    if random:
        warnings.append(
            f"{trial.name} draws random numbers when it forecasts (dropout that stays on?), so its forecasts don't repeat."
        )
    if rate := _ends_in(network, batch, device):
        warnings.append(
            f"{trial.name} ends in {rate}, which gives nothing below zero: return the logarithm of the rate, not the rate."
        )
    elif trial.never_below_zero():
        warnings.append(
            f"{trial.name} gave nothing below zero on its first batch, where logarithms of rates are asked for: if it ends in a rate, return its logarithm."
        )
    return Kept(tuple(warnings), half)


class _Trial:
    def __init__(
        self, network: nn.Module, batch: Batch, mask: Tensor, module: str, device: str
    ) -> None:
        self.network, self.mask, self.device = network, mask, device
        self.file, _, self.name = module.rpartition(":")
        self.batch = Batch(**{key: value.to(device) for key, value in vars(batch).items()})

    def forecast(self, batch: Batch) -> Tensor:
        """What it returns, checked. Raises UserError for anything but a log rate."""
        lines: list[int] = []
        given = {"history": batch.history, "calendar": batch.calendar, "static": batch.static}
        own = {name: x.clone() for name, x in given.items()}
        with torch.no_grad(), _returning(self.network, lines):
            out = self._told(lambda: self.network(*own.values()))
        for name, x in given.items():
            if not torch.equal(own[name].nan_to_num(), x.nan_to_num()):
                raise UserError(
                    f"{self.name} changes its input `{name}` in place (an operation such as `add_` or `x[…] = …`): change a copy (`{name}.clone()`)."
                )
        where = self._line(lines[-1]) if lines else ""
        asked = tuple(batch.target.shape)
        if not isinstance(out, Tensor):
            what = f"{_article(type(out).__name__)}"
            raise UserError(
                f"{self.name} returned {what}{where}, where a tensor {asked} is asked for."
            )
        if tuple(out.shape) != asked:
            raise UserError(
                f"{self.name} returned {tuple(out.shape)}{where}, where the log rate {asked} is asked for."
            )
        if not out.is_floating_point():
            raise UserError(
                f"{self.name} returned numbers of type {str(out.dtype).removeprefix('torch.')}{where}, where real numbers are asked for."
            )
        if not bool(out.isfinite().all()):
            share = float((~out.isfinite()).float().mean())
            raise UserError(
                f"{self.name} returned values that are no finite numbers ({100 * share:.0f} %){where}."
            )
        return out.float()

    def repeats(self) -> bool:
        """Whether forecasts differ by the random numbers that are drawn. Raises UserError where they
        differ though these are the same."""
        self.network.eval()
        made = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            made.append(self.forecast(self.batch))
        if not _alike(made[0], made[1]):
            raise UserError(
                f"{self.name} doesn't repeat itself: two passes over the same batch gave forecasts up to {_apart(made[0], made[1]):.2g} apart."
            )
        return not _alike(made[0], made[2])

    def apart(self) -> None:
        """Raise UserError where a sample's forecast depends on the others of its batch."""
        whole = self.forecast(self.batch)
        alone = self.forecast(self.batch.first(1))
        order = torch.arange(len(whole)).flip(0).to(self.device)
        turned = self.forecast(
            Batch(**{key: value[order] for key, value in vars(self.batch).items()})
        )
        for other, own in ((alone, whole[:1]), (turned, whole[order])):
            if not _alike(other, own):
                raise UserError(
                    f"{self.name} mixes the samples of a batch: the same sample's forecast is up to {_apart(other, own):.2g} apart in another batch."
                )

    def never_below_zero(self) -> bool:
        """Whether all that it returns is zero or more, and not always the same."""
        self.network.eval()
        made = self.forecast(self.batch)
        return float(made.min()) >= 0 and float(made.max()) > float(made.min())

    def learns(self, deterministic: bool) -> bool:
        """Whether half precision works. Raises UserError where no gradient reaches its weights."""
        try:
            with mixed_precision(torch.device(self.device), deterministic):
                self._gradients()
            return True
        except UserError:
            self._gradients()  # some operations have no half precision
            return False

    def _gradients(self) -> None:
        self.network.train()
        self.network.zero_grad(set_to_none=True)
        rate = self._told(lambda: log_rate(self.network, self.batch))
        loss = loss_of(self.network, rate, self.batch, self.mask)
        if not bool(loss.isfinite()):
            raise UserError(f"The loss of {self.name} is no finite number on its first batch.")
        if not loss.requires_grad:
            raise UserError(
                f"No gradient reaches the weights of {self.name}: what it returns doesn't depend on them, or was detached."
            )
        self._told(loss.backward)
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if not gradients:
            raise UserError(f"No gradient reaches the weights of {self.name}.")
        if not any(bool(g.any()) for g in gradients):
            raise UserError(
                f"The gradient of {self.name} is zero for every weight: something between them and what it returns is shut, such as a ReLU that nothing passes or a factor of 0."
            )
        if not all(bool(g.isfinite().all()) for g in gradients):
            raise UserError(f"The gradient of {self.name} is no finite number on its first batch.")
        self.network.zero_grad(set_to_none=True)

    def _told(self, call: Callable[[], Any]) -> Any:
        """What a call gives; whatever a user's code raises is told in a line."""
        try:
            return call()
        except (UserError, MemoryError):
            raise
        except Exception as error:
            traceback.print_exc()
            first = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
            number = line_of(error, self.file)
            where = self._line(number) if number else ""
            raise UserError(
                f"{self.name} can't be run{where}: {type(error).__name__}{': ' if first else ''}{first}."
            ) from None

    def _line(self, number: int) -> str:
        lines = Path(self.file).read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        return f" in line {number} (`{text}`)" if text else f" in line {number}"


class _returning:
    """Notes the line at which a network's forward returns."""

    def __init__(self, network: nn.Module, lines: list[int]) -> None:
        forward = inspect.unwrap(type(network).forward)
        self.code, self.lines = getattr(forward, "__code__", None), lines
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        if self.before is None and self.code is not None:
            sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        return self._inside if frame.f_code is self.code else None

    def _inside(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "return":
            self.lines.append(frame.f_lineno)
        return self._inside


def _article(name: str) -> str:
    if name == "NoneType":
        return "nothing"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=1e-3 * (1e-3 + float(other.abs().max())))


def _ends_in(network: nn.Module, batch: Batch, device: str) -> str | None:
    """What a network ends in, if that gives rates: the last operation that made what it returned."""
    from crimecast.networks.tape import record

    one = batch.first(1)
    inputs = {"history": one.history, "calendar": one.calendar, "static": one.static}
    try:
        made = record(network, {}, {key: value.to(device) for key, value in inputs.items()})
    except (RuntimeError, TypeError, ValueError):
        return None  # what can't be followed isn't warned of
    wanted = made.output
    for op in reversed(made.ops):
        if wanted is None or not any(ref.storage == wanted.storage for ref in op.outputs):
            continue
        name = op.name.rstrip("_")
        if name in ("clone", "_to_copy", "copy", "clamp", "clamp_min", "nan_to_num"):
            wanted = next(iter(op.inputs), None)
            continue
        if name == "pow" and op.args[1:2] == (2,):
            name = "square"
        return RATES.get(name)
    return None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
