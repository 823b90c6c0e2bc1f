"""Search over a spec's marked fields with Optuna: `python -m crimecast.runs.search NAME`.

A field is marked as `channels = { search = [16, 32, 64] }` for a choice, or as
`learning_rate = { search = { low = 1e-4, high = 1e-2, log = true } }` for a range (whole numbers if
both ends are). Trials are ordinary runs in the queue. A trial whose validation loss is worse than
the median of the others at the same epoch is stopped early. The study is kept in the search's
folder, and a search that was interrupted goes on from there.
"""

import copy
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w

from crimecast import UserError
from crimecast.designs.spec import Design, parse_design, read_toml
from crimecast.grids.grid import grid_folder
from crimecast.machine import background
from crimecast.machine.cluster import capacity
from crimecast.machine.process import born, lives
from crimecast.machine.slots import slots
from crimecast.runs import queue
from crimecast.runs.run import Run, list_runs, load_run
from crimecast.runs.settings import Trial
from crimecast.storage.access import accounted, act, permit
from crimecast.storage.store import data_root, read_json, write_json

POLL = 0.5
UNPRUNED = 4  # trials that are always trained to their end, so that there is a median


def marked(text: str) -> dict[str, Any]:
    """Path of each marked field (`training.learning_rate`, `layer.stem.channels`) → its values.

    Raises UserError if nothing is marked or a mark can't be understood.
    """
    document = _document(text)
    found: dict[str, Any] = {}
    for path, _holder, _key, value in _fields(document):
        if isinstance(value, dict) and "search" in value:
            values = value["search"]
            span = isinstance(values, dict) and {"low", "high"} <= values.keys()
            if not span and not (isinstance(values, list) and values):
                raise UserError(
                    f"'{path}': write search = [values] or search = {{ low = …, high = … }}."
                )
            if span and not _rising(values["low"], values["high"]):
                raise UserError(f"'{path}': low and high must be numbers, low below high.")
            if span and values.get("log") and values["low"] <= 0:
                raise UserError(f"'{path}': a range with log = true must begin above zero.")
            found[path] = values
    if not found:
        raise UserError(
            "Nothing is marked for the search: write, for example, channels = { search = [16, 32, 64] }."
        )
    return found


def _rising(low: object, high: object) -> bool:
    """Whether two fields are finite numbers, the first below the second."""
    numbers = all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e15
        for v in (low, high)
    )
    return numbers and low < high  # type: ignore[operator]


def marked_or_none(text: str) -> dict[str, Any]:
    """As `marked`, but without a mark nothing."""
    document = _document(text)
    if any(isinstance(v, dict) and "search" in v for *_, v in _fields(document)):
        return marked(text)
    return {}


def first_values(fields: dict[str, Any], last: bool = False) -> dict[str, Any]:
    """The first of each marked field's values, or the last."""
    end, bound = (-1, "high") if last else (0, "low")
    return {
        path: values[end] if isinstance(values, list) else values[bound]
        for path, values in fields.items()
    }


def filled(text: str, values: dict[str, Any]) -> Design:
    """The design with the marked fields set to `values`."""
    document = _document(text)
    for path, holder, key, _ in list(_fields(document)):
        if path in values:
            holder[key] = values[path]
    return parse_design(tomli_w.dumps(document))


def _document(text: str) -> dict[str, Any]:
    return read_toml(text, "The spec")


def _fields(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], str, Any]]:
    """Every field that can be marked: (path, the table that holds it, key, value)."""
    training, layers = document.get("training"), document.get("layer")
    tables = [("", document), ("training.", training if isinstance(training, dict) else {})]
    for entry in layers if isinstance(layers, list) else []:
        if isinstance(entry, dict):
            tables.append((f"layer.{entry.get('name')}.", entry))
    return [
        (prefix + key, table, key, value)
        for prefix, table in tables
        for key, value in table.items()
        if key not in ("layer", "training")
    ]


@accounted
def start(text: str, grid: str, trials: int, seed: int = 0, **settings: Any) -> str:
    """Record a search and start its process; returns its name. `settings` go to every run.

    Raises UserError, with nothing recorded, if a corner of the search can't be built on the grid.
    """
    permit("search", grid)
    grid_folder(grid)
    if trials < 1:
        raise UserError("--trials must be at least 1.")
    queue.check_seed(seed)
    fields = marked(text)
    for last in (False, True):  # most clashes show at one of the ends
        queue.check(filled(text, first_values(fields, last)), grid)
    act("search", grid)
    stem = re.sub(r"[^a-z0-9_]+", "_", str(_document(text).get("name", "search")).lower())[:40]
    root = data_root() / "searches"
    number = 1 + sum(1 for _ in root.glob("*/search.json"))
    while True:
        name = f"{stem}-search-{number}"
        try:
            (root / name).mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
    (root / name / "spec.toml").write_text(text, encoding="utf-8")
    write_json(
        root / name / "search.json",
        {"name": name, "grid": grid, "trials": trials, "seed": seed, "settings": settings},
    )
    resume(name)
    return name


def folder(name: str) -> Path:
    """Where a search lies. Raises UserError for an unknown name."""
    path = data_root() / "searches" / name
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or not (path / "search.json").exists():
        raise UserError(f"There is no search called '{name}'.")
    return path


def running(name: str) -> bool:
    """Whether the search's process lives."""
    try:
        known = read_json(folder(name) / "process.json")
    except (OSError, ValueError):
        return False
    return lives(known["pid"], known["started"])


def resume(name: str) -> None:
    """Start the search's process unless it runs."""
    if running(name):
        return
    process = background.start("crimecast.runs.search", name, log=folder(name) / "log.txt")
    write_json(
        folder(name) / "process.json",
        {"pid": process.pid, "started": born(process.pid)},
    )


def trials(name: str) -> list[tuple[Run, Trial]]:
    """The runs of a search, newest first, each with its place in it."""
    everything = [(run, run.settings.trial) for run in list_runs()]
    return [(run, trial) for run, trial in everything if trial and trial.search == name]


def report(name: str) -> dict[str, Any]:
    """What a search found: its state, the best run, and each trial with its values and loss."""
    known = read_json(folder(name) / "search.json")
    rows: list[dict[str, Any]] = []
    for run, trial in trials(name):
        losses = [entry["validation_loss"] for entry in run.history() if entry["validation_loss"]]
        rows.append(
            {
                "run": run.id, "state": run.state, "pruned": run.pruned,
                "values": trial.values, "validation_loss": min(losses, default=None),
            }
        )  # fmt: skip
    ended = [row for row in rows if row["state"] == "done"]
    best = min(ended, key=lambda row: row["validation_loss"], default=None)
    over = (folder(name) / "done.json").exists()
    state = "done" if over else "running" if running(name) else "interrupted"
    return {**known, "state": state, "best": best["run"] if best else None, "runs": rows}


def main(name: str) -> int:
    """Ask for values, queue runs, watch them, prune, until there are as many trials as asked for."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    known, text = read_json(folder(name) / "search.json"), (folder(name) / "spec.toml").read_text()
    fields = marked(text)
    study = optuna.create_study(
        study_name=name, load_if_exists=True, direction="minimize",
        storage=JournalStorage(JournalFileBackend(str(folder(name) / "study.log"))),
        sampler=optuna.samplers.TPESampler(seed=known["seed"] + len(trials(name)), constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=1),
    )  # fmt: skip
    watched = {run.id: trial.number for run, trial in trials(name)}
    open_trials = {t.number: t for t in study.get_trials() if not t.state.is_finished()}
    watched = {run: number for run, number in watched.items() if number in open_trials}
    for number in open_trials.keys() - set(watched.values()):
        study.tell(number, state=optuna.trial.TrialState.FAIL)  # asked for, but never queued
    cluster = known["settings"].get("cluster")
    together = capacity(cluster) if cluster else len(slots())
    while True:
        for run_name, number in list(watched.items()):
            if follow(study, trial_of(study, number), load_run(run_name)):
                del watched[run_name]
        made = [t for t in study.get_trials() if t.state.name != "FAIL" or t.user_attrs.get("run")]
        while len(watched) < together and len(made) < known["trials"]:
            trial = study.ask()
            values = {path: suggest(trial, path, options) for path, options in fields.items()}
            run = queue.submit(
                queue.Request(
                    filled(text, values), known["grid"],
                    trial=Trial(name, trial.number, values), **known["settings"],
                )
            )  # fmt: skip
            trial.set_user_attr("run", run.id)
            watched[run.id] = trial.number
            made.append(study.get_trials()[trial.number])
        if not watched:
            write_json(folder(name) / "done.json", {"best": report(name)["best"]})
            return 0
        time.sleep(POLL)


def suggest(trial: Any, path: str, options: Any) -> Any:
    """A value for a marked field."""
    if isinstance(options, list):
        # Lists can't be Optuna's choices, so it chooses their place.
        return copy.deepcopy(options[trial.suggest_categorical(path, list(range(len(options))))])
    low, high, log = options["low"], options["high"], bool(options.get("log", False))
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(path, low, high, log=log)
    return trial.suggest_float(path, low, high, log=log)


def trial_of(study: Any, number: int) -> Any:
    """The trial that was asked for under `number`, by this process or by one before it. Optuna has no
    public way from the number to a trial that can report and be asked whether to go on."""
    import optuna

    return optuna.trial.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def follow(study: Any, trial: Any, run: Run) -> bool:
    """Tell the study what a run has reached; stop it if it is not worth going on. True when over."""
    import optuna

    losses = [e["validation_loss"] for e in run.history() if e["phase"] == "fit"]
    known = study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for epoch, loss in enumerate(losses):
        if epoch not in known:
            trial.report(loss, epoch)
    if run.state in ("queued", "running") and run.request != "stop":
        if losses and not run.pruned and trial.should_prune():
            queue.prune(run.id)
        return False
    if run.active or run.state == "interrupted":
        return False
    if run.state == "done":
        study.tell(trial.number, run.summary["validation_loss"])
    elif run.pruned:
        study.tell(trial.number, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return True


def wait(name: str, show: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """Return the report when the search is over; `show` is called with it at every look until then."""
    while not (folder(name) / "done.json").exists():
        if not running(name):
            tail = (folder(name) / "log.txt").read_text(encoding="utf-8", errors="replace")
            last = tail.strip().splitlines()[-1:] or ["no details"]
            raise UserError(f"The search {name} ended unexpectedly: {last[0]}")
        if show:
            show(report(name))
        time.sleep(POLL)
    return report(name)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
