"""What a run was changed from, what was changed, and what that did; and what people say of runs."""

import tomllib
from typing import Any

from crimecast import UserError
from crimecast.designs.kinds import KINDS
from crimecast.designs.spec import Design, to_toml
from crimecast.forecasting.forecasts import versus
from crimecast.forecasting.unseen import unseen_period
from crimecast.runs.run import Run, list_runs, load_run, update_run
from crimecast.storage.access import accounted, act
from crimecast.storage.store import read_json, write_json

NOTE = 2_000  # characters of a note


def changes(run: Run, parent: Run) -> list[str]:
    """What differs between a run and the one it was forked from, a line each: `stem.kernel 3 → 5`."""
    made = design_changes(run.design, parent.design)
    if run.seed != parent.seed:
        made.append(f"seed {parent.seed} → {run.seed}")
    for key in ("train_until", "validate_until", "epochs", "refit", "left_out", "start_from"):
        before, after = getattr(parent.settings, key), getattr(run.settings, key)
        if before != after:
            made.append(f"{key} {_short(before)} → {_short(after)}")
    return made


def design_changes(design: Design, before: Design) -> list[str]:
    """What differs between two designs, a line each."""
    one, other = _plain(before), _plain(design)
    lines = [_line(key, _said(one, key), _said(other, key)) for key in {**one, **other}]
    return [line for line in lines if line]


def changed(run: Run, parent: Run) -> str:
    """The same in one line."""
    return "; ".join(changes(run, parent)) or "nothing"


def _plain(design: Design) -> dict[str, Any]:
    """Fields and layers' options by dotted names; a module as its file alone."""
    if design.module is not None:
        return {"module": design.module.rpartition(":")[2]}
    document = tomllib.loads(to_toml(design))
    made: dict[str, Any] = {}
    for layer in document.pop("layer"):
        name = layer.pop("name")
        made |= {f"{name}.{key}": value for key, value in layer.items()}
    for key, value in document.pop("training").items():
        made[f"training.{key}"] = value
    document.pop("name")
    return {**document, **made}


def _said(design: dict[str, Any], key: str) -> Any:
    """A field's value; a layer's option that isn't written has the default of its kind."""
    name, _, option = key.partition(".")
    kind = KINDS.get(design.get(f"{name}.kind", ""))
    return design.get(key, kind.options.get(option) if kind else None)


def _line(key: str, before: Any, after: Any) -> str:
    if before == after:
        return ""
    name, _, option = key.partition(".")
    if before is None:
        return f"+ {name} ({after})" if option == "kind" else f"+ {key} {_short(after)}"
    if after is None:
        return f"− {name} ({before})" if option == "kind" else f"− {key}"
    return f"{key} {_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def tried(run: Run, design: Design) -> Run | None:
    """The latest fork of a run that has this design, whatever became of it."""
    spec = to_toml(design)
    forks = (one for one in list_runs(run.grid) if one.parent == run.id and one.spec == spec)
    return next(forks, None)


def effect(run: Run) -> dict[str, Any] | None:
    """What a fork gained on its parent in log-likelihood per event, with interval and verdict.

    `on` the validation period, or the unseen one where either was trained once more with the
    validation period. None without a parent on the same grid that is done too.
    Measured once for each pair of networks.
    """
    if run.parent is None or run.state != "done":
        return None
    parent = load_run(run.parent)
    if parent.state != "done" or parent.grid != run.grid:
        return None
    known = known_effect(run)
    if known is not None:
        return known
    refit = run.settings.refit or parent.settings.refit
    if refit:
        first = max(unseen_period(run)[0], unseen_period(parent)[0])
        last = unseen_period(run)[1]
    else:
        first = max(run.settings.train, parent.settings.train)
        last = min(run.settings.validate, parent.settings.validate)
    if first >= last:
        return None
    made = {
        **versus(run.id, parent.id, run.grid, first, last),
        "on": "unseen" if refit else "validation",
        "stamps": [run.stamp, parent.stamp],
    }
    write_json(run.folder / "effect.json", made)
    return made


def known_effect(run: Run) -> dict[str, Any] | None:
    """The effect if it was measured and both networks are still the same."""
    path = run.folder / "effect.json"
    if run.parent is None or run.state != "done" or not path.exists():
        return None
    made = read_json(path)
    parent = load_run(run.parent)
    current = parent.state == "done" and made["stamps"] == [run.stamp, parent.stamp]
    return made if current else None


@accounted
def annotate(
    name: str, note: str | None = None, pinned: bool | None = None, archived: bool | None = None
) -> Run:
    """Write a note to a run, pin it or put it away. Raises UserError if the note is too long."""
    act("annotate", name)
    if note is not None and len(note) > NOTE:
        raise UserError(f"A note may have {NOTE:,} characters; this one has {len(note):,}.")
    said = {"note": note, "pinned": pinned, "archived": archived}
    if fresh := {key: value for key, value in said.items() if value is not None}:
        update_run(name, **fresh)
    return load_run(name)
