"""One round of a live city: crawl, extend the grid, score what has come, seal what is to come.

A round may be cut off at any moment and be run again at any time: each thing it does is looked up in
the sealed log first, so it is done once.
"""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.cities import City, load_city
from crimecast.forecasting.ahead import Ahead
from crimecast.forecasting.to_come import come, kept, reported, save
from crimecast.grids.covariates import covariate_path, forecast_path
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import grid_folder, make_grid
from crimecast.judging.likelihood import floored, log_likelihood
from crimecast.live.log import Log
from crimecast.live.plan import Plan, go_live, keep_plan, live_folder
from crimecast.live.retraining import retrained
from crimecast.runs.run import list_runs, load_run
from crimecast.storage.access import accounted, act, permit
from crimecast.storage.faults import sentence
from crimecast.storage.kept import code_of
from crimecast.storage.store import data_root, read_json, write_json

NEXT = 7
# The owner's command after every round. Never stored: a data folder may come from somebody else.
AFTER = "CRIMECAST_AFTER_ROUND"
PATIENCE = 60.0  # seconds that it may take


@accounted
def go_round(
    city: str,
    grid: str | None = None,
    names: tuple[str, ...] = (),
    url: str | None = None,
    guarded: bool = False,
) -> dict[str, Any]:
    """One round; `guarded` refuses portals inside private networks. Returns how many forecasts were `sealed`, how many steps of sealed forecasts were
    `scored`, how many `new_events` came, the `grid`, and `notices`. Raises UserError while another
    round runs."""
    permit("forecast the days to come of", city)
    folder = live_folder(city)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=1.0):
            plan = go_live(city, grid, names)
            act("forecast the days to come of", city)
            began = time.time()
            result = _round(load_city(city), plan, url, guarded)
            write_json(folder / "round.json", {"began": began, "said": summary_text(result)})
    except Timeout:
        raise UserError(f"A round of {city} is running already.") from None
    if command := os.environ.get(AFTER):
        result["notices"] += _followed(command, city)
        write_json(folder / "round.json", {"began": began, "said": summary_text(result)})
    return result


def _followed(command: str, city: str) -> list[str]:
    """Run the owner's command after a round; what went wrong with it."""
    folder = live_folder(city)
    told = {"CRIMECAST_CITY": city, "CRIMECAST_FEED": str(folder / "tomorrow.json"),
            "CRIMECAST_ROUND": str(folder / "round.json")}  # fmt: skip
    with (folder / "then.log").open("wb") as log:
        process = subprocess.Popen(
            command, shell=True, env={**os.environ, **told}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return [f"The command after the round was ended after {PATIENCE:.0f} s."]
        except BaseException:  # the round is ended: so is what it began
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return [f"The command after the round failed (exit {status})."] if status else []


def _round(city: City, plan: Plan, url: str | None, guarded: bool) -> dict[str, Any]:
    log, notices = Log(live_folder(city.name)), []
    log.verify()  # nothing is built on a log that was changed
    if city.sources:
        from crimecast.crawling import crawl_city

        new = crawl_city(city.name, url=url, guarded=guarded)["added"]
    else:
        notices.append(f"No portal is known for {city.title}: what was imported is forecast from.")
        new = None
    plan = _extended(city, plan)
    records = read_json(grid_folder(plan.grid) / "grid.json")["records"]
    if new is None:
        new = _imported(log, records)
    cube = load_cube(plan.grid)
    scored = _score(log, cube)
    plan, said = retrained(city.name, plan, log, cube, come(cube))
    notices += said
    sealed, failed = 0, []
    for name in plan.names:
        try:
            made = kept(name, cube, len(cube.times), NEXT)
        except Exception as error:  # of one of them, such as a user's module: the others go on
            failed.append(
                f"{name} made no forecast: {error if isinstance(error, UserError) else sentence(error)}"
            )
            continue
        notices += [note for note in made.notices if note not in notices]
        sealed += _seal(log, made)
        if name == plan.names[0]:
            save(log.folder / "tomorrow.json", made)
    if len(failed) == len(plan.names):
        raise UserError(" ".join(failed))
    notices += failed
    write_json(log.folder / "events.json", {"events": records})
    return {
        "city": city.name, "grid": plan.grid, "sealed": sealed, "scored": scored,
        "new_events": new, "notices": notices, "every": plan.rules.every,
    }  # fmt: skip


def _imported(log: Log, records: int) -> int:
    """How many records have come since the last round."""
    path = log.folder / "events.json"
    return max(0, records - read_json(path)["events"]) if path.exists() else 0


def _extended(city: City, plan: Plan) -> Plan:
    """The same grid of the records as they are now: chunks whose months are unchanged are taken over. One
    that an earlier round made goes, unless a run was trained on it."""
    old = read_json(grid_folder(plan.grid) / "grid.json")
    made = make_grid(city.name, old["cell"], old["step"], old["types"], old["since"])["grid"]
    if made == plan.grid:
        return plan
    if read_json(grid_folder(made) / "grid.json")["shape"][1:] != old["shape"][1:]:
        raise UserError(
            f"The new records reach past the map of {plan.grid}, which has no outline: make a grid "
            "anew, and train on it."
        )
    new = replace(plan, grid=made, own=True)
    keep_plan(city.name, new)
    if plan.own and not list_runs(plan.grid):
        shutil.rmtree(grid_folder(plan.grid), ignore_errors=True)
        shutil.rmtree(data_root() / "forecasts" / plan.grid, ignore_errors=True)
    return new


def _seal(log: Log, made: Ahead) -> int:
    """Append a forecast to the log, unless one of that name from that step on is there."""
    first = made.label(0)
    for entry in log.entries():
        body = entry["body"]
        if entry["kind"] == "forecast" and (body["name"], body["steps"][0]["step"]) == (
            made.name, first,
        ):  # fmt: skip
            return 0
    buffer = io.BytesIO()
    fields = ("rate", "low", "high", "some", "mean", "dispersion", "area")
    np.savez_compressed(buffer, **{field: getattr(made, field) for field in fields})
    stamp = first.replace(":", "")
    name = hashlib.sha256(made.name.encode()).hexdigest()[:8]
    file = f"forecast-{stamp}-{name}.npz"
    steps = []
    for step in range(len(made.times)):
        expected, low, high = made.total(step)
        steps.append({"step": made.label(step), "expected": expected, "low": low, "high": high})
    cube = made.cube
    body = {
        "name": made.name, "grid": cube.grid, "steps": steps, "kinds": list(made.kinds),
        "shape": list(made.rate.shape), "known_until": cube.label(made.origin - 1),
        "made_by": {part.strip(): _hash_of(part.strip()) for part in made.name.split("+")},
        "inputs": _hash_of_inputs(made), "file": file, "sha256": log.keep(file, buffer.getvalue()),
    }  # fmt: skip
    log.append("forecast", body)
    return 1


def _hash_of(name: str) -> str:
    """What made a forecast: the network's weights and spec, or the code of the baselines."""
    if name in BASELINES:
        return hashlib.sha256(code_of("baselines", "grids", "calendar")).hexdigest()
    run = load_run(name)
    return hashlib.sha256(
        (run.folder / "network.safetensors").read_bytes() + run.spec.encode()
    ).hexdigest()


def _hash_of_inputs(made: Ahead) -> str:
    """The counts that a forecast was made from, their times, and the city's covariates."""
    cube = made.cube
    partly = reported(cube, made.origin)
    whole = hashlib.sha256(np.ascontiguousarray(cube.counts[: made.origin]).view(np.uint8).data)
    whole.update(np.ascontiguousarray(cube.times[: made.origin]).view(np.uint8).data)
    whole.update(b"" if partly is None else partly.tobytes())
    for part in made.name.split("+"):
        if part.strip() not in BASELINES:
            for one in load_run(part.strip()).design.static:
                for path in (covariate_path(cube.city, one), forecast_path(cube.city, one)):
                    whole.update(path.read_bytes() if path.exists() else b"")
    return whole.hexdigest()


def _score(log: Log, cube: Cube) -> int:
    """Append a score of every step of every sealed forecast that has come and has none; how many."""
    entries = log.entries()
    whole = come(cube)
    partly = reported(cube, whole)
    whole -= 0 if partly is None else len(partly)  # those are scored when their records are there
    steps = {cube.label(step): step for step in range(whole)}
    known = {(e["body"]["of"], e["body"]["step"]) for e in entries if e["kind"] == "score"}
    made = 0
    for entry in entries:
        if entry["kind"] != "forecast":
            continue
        body = entry["body"]
        due = [
            (ahead, one["step"]) for ahead, one in enumerate(body["steps"])
            if one["step"] in steps and (entry["number"], one["step"]) not in known
        ]  # fmt: skip
        if not due or body["shape"][2:] != list(cube.counts.shape[2:]):
            continue
        with np.load(log.folder / body["file"], allow_pickle=False) as file:
            stored = {f: file[f] for f in ("rate", "area", "mean", "dispersion")}
        for ahead, label in due:
            log.append("score", _scored(entry, ahead, label, cube, steps[label], stored))
            made += 1
    return made


def _scored(
    entry: dict[str, Any], ahead: int, label: str, cube: Cube, step: int,
    stored: dict[str, np.ndarray],
) -> dict[str, Any]:  # fmt: skip
    """What one step of a sealed forecast was worth, over the area it was made for."""
    from crimecast.judging.predictive import cdf

    kinds = cube.counts.shape[1]
    area = stored["area"]
    n = cube.counts[step][:, area].astype(np.float64)
    rate = floored(stored["rate"][ahead, :kinds][:, area])
    total = float(n.sum())
    mean, dispersion = stored["mean"][ahead, :, -1], stored["dispersion"][ahead, :, -1]
    below, upto = (float(cdf(np.array(v), mean, dispersion)) for v in (total - 1, total))
    return {
        "of": entry["number"], "name": entry["body"]["name"], "step": label, "ahead": ahead + 1,
        "events": int(total), "expected": float(rate.sum()),
        "log_likelihood": float(log_likelihood(n, rate).sum()), "pit": [below, upto],
    }  # fmt: skip


def summary_text(result: dict[str, Any]) -> str:
    """A round in a line or two."""
    lines = [
        f"{result['city']}: {result['new_events']:,} new events; {result['sealed']} forecasts sealed, "
        f"{result['scored']} steps scored.",
        *result["notices"],
    ]
    return "\n".join(lines)
