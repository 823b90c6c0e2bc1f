"""What the commands about training do."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.commands import terminal
from crimecast.commands.arguments import Add, cluster
from crimecast.commands.ready import ready
from crimecast.machine.cluster import address_asked


def train(options: argparse.Namespace) -> tuple[Any, str]:
    """Queue a run; with --wait, stay until it has ended."""
    from crimecast.designs.spec import load_design
    from crimecast.runs import queue
    from crimecast.runs.run import load_run

    ready()
    source = options.fork or options.start_from
    if options.design is None and source is None:
        raise UserError("Name a --design (such as stack), or a run to --fork or --start-from.")
    parent = load_run(source) if source else None
    design = load_design(options.design) if options.design is not None else parent.design  # type: ignore[union-attr]
    run = queue.submit(
        queue.Request(
            design, options.grid, options.train_until, options.validate_until, options.epochs,
            options.seed, options.device, options.fork, options.refit, options.start_from, options.leave_out,
            cluster=address_asked(options.executor, options.address), workers=options.workers,
        )
    )  # fmt: skip
    if options.wait:
        with _on_one_line(f"{run.id} trains on"):
            run = queue.wait(run.id, show=lambda run: terminal.show(f"{run.id}: {_said(run)}"))
        if run.state == "failed":
            raise UserError(f"{run.id} failed: {run.message}")
    summary = {"run": run.id, "state": run.state, **run.summary}
    said = [f"{run.id} is {run.state}.", *run.summary.get("warnings", [])]
    return summary, "\n".join(said)


def runs(options: argparse.Namespace) -> tuple[Any, str]:
    """List, show, stop, resume, try again, put first or delete."""
    from crimecast.live.discarding import discard_run
    from crimecast.runs import queue
    from crimecast.runs.run import list_runs, load_run

    ready()
    if options.run is None:
        known = list_runs()
        lines = [f"{run.id:<24} {run.state:<12} {run.grid:<36} {_said(run)}" for run in known]
        return [_run_row(run) for run in known], "\n".join(lines) or "There are no runs yet."
    if options.action == "delete":
        entry = discard_run(options.run)
        told = {"run": options.run, "state": "deleted", "bin": entry.id}
        return told, f"{options.run} is in the bin: bin {entry.id} takes it back."
    if options.action == "stop":
        queue.stop(options.run)
    if options.action == "resume":
        queue.resume(options.run)
    if options.action == "retry":
        queue.retry(options.run)
    if options.action == "first":
        queue.put_first(options.run)
    run = load_run(options.run)
    row = {**_run_row(run), "progress": run.progress(), "history": run.history(), "spec": run.spec}
    text = f"{run.id} is {run.state}. {_said(run)}".strip()
    if run.request == "stop":
        text = f"{run.id} was asked to stop."
    return row, text


def _said(run: Any) -> str:
    """How far it is, or how it ended."""
    from crimecast.runs.progress import line

    return line(run) if run.active and not run.message else run.message


@contextlib.contextmanager
def _on_one_line(goes_on: str) -> Iterator[None]:
    """Progress in a line of the terminal; who interrupts it is told what goes on in the background."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{goes_on} in the background.") from None
    finally:
        terminal.end()


def _run_row(run: Any) -> dict[str, Any]:
    return {
        "run": run.id, "state": run.state, "grid": run.grid, "design": run.name, "parent": run.parent,
        "seed": run.seed, "message": run.message, **run.settings.row(), "note": run.note, "pinned": run.pinned,
        "archived": run.archived, "pruned": run.pruned, **run.summary,
    }  # fmt: skip


def search(options: argparse.Namespace) -> tuple[Any, str]:
    """Start a search over a spec's marked fields, or show one that was started."""
    from crimecast.designs.spec import read_spec
    from crimecast.runs import search as searching

    ready()
    if options.design is None:
        found = searching.report(options.grid)
    else:
        name = searching.start(
            read_spec(Path(options.design)), options.grid, options.trials,
            options.seed, train_until=options.train_until, validate_until=options.validate_until,
            epochs=options.epochs, device=options.device,
            cluster=address_asked(options.executor, options.address),
        )  # fmt: skip
        found = searching.report(name)
        if options.wait:
            with _on_one_line(f"The search {name} goes on"):
                found = searching.wait(name, lambda found: terminal.show(_trials(found)))
    lines = [f"{found['name']} is {found['state']}; best: {found['best'] or 'none yet'}"]
    for row in found["runs"]:
        loss = "" if row["validation_loss"] is None else f"{row['validation_loss']:.5f}"
        state = "pruned" if row["pruned"] else row["state"]
        lines.append(f"{row['run']:<24} {state:<10} {loss:>9}  {row['values']}")
    return found, "\n".join(lines)


def _trials(found: dict[str, Any]) -> str:
    """How far a search is."""
    ended = sum(row["state"] not in ("queued", "running") for row in found["runs"])
    return f"{found['name']}: {ended} of {found['trials']} trials, best so far {found['best'] or 'none yet'}"


def export(options: argparse.Namespace) -> tuple[Any, str]:
    """Write a run's record for TensorBoard, its network as ONNX or a program of torch.export."""
    from crimecast.runs.run import load_run
    from crimecast.runs.tensorboard import export_tensorboard

    ready()
    run = load_run(options.run)
    made: dict[str, Any] = {"run": run.id}
    said = []
    if options.tensorboard is not None:
        count = export_tensorboard(run, options.tensorboard.resolve())
        made |= {"scalars": count, "out": str(options.tensorboard / run.id)}
        said.append(f"{count:,} scalars written to {made['out']}.")
    if options.network is not None:
        from crimecast.forecasting.exporting import export_network

        made |= export_network(run, options.network)
        said.append(f"The network is written to {options.network}.")
    if not said:
        raise UserError("Say what to write: --tensorboard FOLDER or --network FILE.onnx.")
    return made, " ".join(said)


def register(add: Add) -> None:
    """The commands about training."""
    p = add("train", train, "Queue the training of a design on a grid.")
    p.add_argument("grid")
    p.add_argument("--design", metavar="NAME|FILE.toml|FILE.py:Class")
    p.add_argument("--train-until", metavar="DATE")
    p.add_argument("--validate-until", metavar="DATE")
    p.add_argument("--epochs", type=int, metavar="N")
    p.add_argument("--seed", type=int, default=0, metavar="N")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--fork", metavar="RUN", help="the run this one is a change of")
    p.add_argument(
        "--refit", action="store_true", help="train once more with the validation period"
    )
    p.add_argument(
        "--start-from", metavar="RUN", help="go on from its weights, in its city or another"
    )
    p.add_argument(
        "--leave-out", type=float, default=0.0, metavar="SHARE",
        help="hide that share of the city, in blocks, from training",
    )  # fmt: skip
    p.add_argument("--wait", action="store_true", help="return when the run has ended")
    cluster(p)
    p.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that train it together"
    )

    p = add(
        "runs",
        runs,
        "List runs, show one, or stop, resume, retry, put first or delete it.",
    )
    p.add_argument("run", nargs="?")
    p.add_argument("action", nargs="?", choices=["stop", "resume", "retry", "first", "delete"])

    p = add(
        "search", search,
        "Search over a spec's marked fields, or, given only a search's name, show what it found.",
    )  # fmt: skip
    p.add_argument("grid", metavar="GRID|SEARCH")
    p.add_argument(
        "--design", metavar="FILE.toml", help="with fields such as { search = [16, 32] }"
    )
    p.add_argument("--trials", type=int, default=20, metavar="N")
    p.add_argument("--train-until", metavar="DATE")
    p.add_argument("--validate-until", metavar="DATE")
    p.add_argument("--epochs", type=int, metavar="N")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the search")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--wait", action="store_true", help="return when the search is over")
    cluster(p)

    p = add("export", export, "Write a run's record for TensorBoard, or its network.")
    p.add_argument("run")
    p.add_argument("--tensorboard", type=Path, metavar="FOLDER")
    p.add_argument("--network", type=Path, metavar="FILE.onnx|.pt2")
