"""A live city's run, trained anew on what has come: a fork beside the old one, which takes its place at a
click or, where the rule says so, once it has done better on forecasts that were sealed."""

import time
from dataclasses import dataclass, replace

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.grids.cube import Cube
from crimecast.judging.sequential import verdict
from crimecast.live.log import Log
from crimecast.live.plan import Plan, keep_plan, live_folder
from crimecast.live.standing import gains, said, standing
from crimecast.runs import queue
from crimecast.runs.run import Run, list_runs, load_run
from crimecast.storage.store import read_json, write_json

DAY = 86_400.0
REST = 14.0  # days at least between two retrainings, whatever drifts


@dataclass(frozen=True)
class Retraining:
    """The last one: `of` which run, the `fork`, when it was `asked` (seconds since 1970) and `why`."""

    of: str
    fork: str
    asked: float
    why: str


def last_of(city: str) -> Retraining | None:
    """The last retraining of a live city, None if there was none."""
    path = live_folder(city) / "retraining.json"
    return read_json(path, Retraining) if path.exists() else None


def retrained(city: str, plan: Plan, log: Log, cube: Cube, come: int) -> tuple[Plan, list[str]]:
    """What a round does about retraining: queue a fork where the rules ask for one, forecast by it once it
    is trained, let it take the old one's place. Returns the plan from here on, and sentences on it."""
    last, (made, notices) = _noted(city), _without_deleted(plan)
    if last is not None:
        made, followed = _followed(made, log, last)
        notices += followed
    old = _run_of(made.names[0])
    why = "" if old is None else _asked(made, log, old, last)
    if old is not None and why:
        notices.append(_train(city, old, why, made.grid, cube, come))
    elif old is None and (made.rules.retrain or made.rules.at_drift):
        notices.append(f"{made.names[0]} is no run, so nothing is trained anew.")
    if made != plan:
        keep_plan(city, made)
    return made, notices


def _noted(city: str) -> Retraining | None:
    """The last one; where a round was cut off between asking for its fork and noting which, that fork is
    found by its parent, so that it isn't asked for twice."""
    last = last_of(city)
    if last is None or last.fork:
        return last
    made = [r for r in list_runs() if r.parent == last.of and r.created >= last.asked - 1.0]
    if not made:
        return None
    last = replace(last, fork=max(made, key=lambda run: run.created).id)
    write_json(live_folder(city) / "retraining.json", vars(last))
    return last


def _train(city: str, old: Run, why: str, grid: str, cube: Cube, come: int) -> str:
    """Ask for a fork; what there is to say of it."""
    path, last = live_folder(city) / "retraining.json", Retraining(old.id, "", time.time(), why)
    before = last_of(city)
    write_json(path, vars(last))
    try:
        fork = _fork(old, grid, cube, come)
    except UserError as error:  # the round goes on by what there is
        if before is None:
            path.unlink()
        else:
            write_json(path, vars(before))
        return f"{old.id} could not be trained anew ({why}): {error}"
    write_json(path, vars(replace(last, fork=fork.id)))
    return f"{old.id} is trained anew as {fork.id}: {why}."


def _without_deleted(plan: Plan) -> tuple[Plan, list[str]]:
    """The plan without what is there no more. Raises UserError if nothing is left of it."""
    gone = [
        name for name in plan.names
        if any(part.strip() not in BASELINES and _run_of(part.strip()) is None for part in name.split("+"))
    ]  # fmt: skip
    left = tuple(name for name in plan.names if name not in gone)
    if not left:
        raise UserError(
            f"{', '.join(gone)} was deleted, and nothing else is to forecast: choose what is."
        )
    return replace(plan, names=left), [
        f"{name} was deleted and forecasts no more." for name in gone
    ]


def _followed(plan: Plan, log: Log, last: Retraining) -> tuple[Plan, list[str]]:
    """What has become of the last fork."""
    fork = _run_of(last.fork)
    if fork is None or fork.state != "done" or plan.names[0] == fork.id:
        return plan, []
    if fork.id not in plan.names:
        plan = replace(plan, names=(*plan.names, fork.id))
        return plan, [f"{fork.id} is trained, and forecasts beside {last.of} from now on."]
    _, gained = gains(log, fork.id, plan.names[0])
    if plan.rules.switch == "better" and verdict(gained) == 1:
        said = f"{fork.id} has done better than {plan.names[0]} and forecasts first from now on."
        return plan.led_by(fork.id), [said]
    return plan, []


def _asked(plan: Plan, log: Log, old: Run, last: Retraining | None) -> str:
    """Why the first run is to be trained anew now; empty if it is not."""
    fork = None if last is None else _run_of(last.fork)
    if fork is not None and fork.active:
        return ""
    since = max(old.created, last.asked if last else 0.0)
    days = (time.time() - since) / DAY
    if plan.rules.retrain and days >= plan.rules.retrain:
        return f"the last time is {days:.0f} days ago"
    if plan.rules.at_drift and (last is None or days >= REST):
        own = [row for row in standing(log) if row["name"] == old.id]
        if sentences := said(own):
            return sentences[0].rstrip(".")
    return ""


def _fork(old: Run, grid: str, cube: Cube, come: int) -> Run:
    """Queue the same design on all that has come, with as many steps held out as it had."""
    held_out = old.settings.validate - old.settings.train
    validate = come - 1
    request = queue.Request(
        old.design, grid, str(cube.times[validate - held_out])[:19], str(cube.times[validate])[:19],
        epochs=old.settings.epochs, seed=old.seed, device=old.device, parent=old.id, refit=True,
    )  # fmt: skip
    return queue.submit(request)


def _run_of(name: str) -> Run | None:
    try:
        return load_run(name)
    except UserError:  # a baseline, a mixture of several, or it was deleted
        return None
