"""How sealed forecasts have done since the start: against the baselines, and beside what came."""

from typing import Any

import numpy as np

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.judging.sequential import sequence, verdict
from crimecast.live.log import Log
from crimecast.live.plan import last_round
from crimecast.storage.store import data_root


def scores_of(log: Log, ahead: int = 1) -> dict[str, dict[str, dict[str, Any]]]:
    """name → step → the score of the forecast made so many steps ahead."""
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in log.entries():
        body = entry["body"]
        if entry["kind"] == "score" and body["ahead"] == ahead:
            made.setdefault(body["name"], {})[body["step"]] = body
    return made


def standing(log: Log, ahead: int = 1) -> list[dict[str, Any]]:
    """For each forecast: steps scored, events, log-likelihood an event, whether its totals drift (more or
    fewer come than expected), and against each baseline the mean difference a step with the interval that
    holds at all times, and what it says."""
    scores = scores_of(log, ahead)
    rows = []
    for name, by_step in scores.items():
        steps = sorted(by_step)
        events = sum(by_step[step]["events"] for step in steps)
        likelihood = sum(by_step[step]["log_likelihood"] for step in steps)
        off = np.array(
            [by_step[s]["events"] / max(by_step[s]["expected"], 1e-9) - 1 for s in steps]
        )
        _, low, high = sequence(off)
        versus = []
        for rival in scores:
            if rival == name or rival not in BASELINES:
                continue
            common, gained = gains(log, name, rival)
            if not common:
                continue
            mean, worst, best = (float(part[-1]) for part in sequence(gained))
            versus.append(
                {
                    "name": rival, "steps": len(common), "difference": mean,
                    "interval": [worst, best], "verdict": WORDS[verdict(gained)],
                }
            )  # fmt: skip
        rows.append(
            {
                "name": name, "steps": len(steps), "first": steps[0], "last": steps[-1],
                "events": events, "expected": sum(by_step[s]["expected"] for s in steps),
                "log_likelihood_per_event": likelihood / max(events, 1),
                "off": float(off.mean()), "off_interval": [float(low[-1]), float(high[-1])],
                "drifts": DRIFTS[verdict(off)], "versus": versus,
            }
        )  # fmt: skip
    return rows


WORDS = {1: "better", 0: "not to be told apart", -1: "falls behind"}
DRIFTS = {1: "more come than expected", 0: "no", -1: "fewer come than expected"}


def gains(log: Log, name: str, rival: str) -> tuple[list[str], np.ndarray]:
    """The steps that both have forecast and that have come, and by how much `name` did better in each."""
    scores = scores_of(log)
    own, other = scores.get(name, {}), scores.get(rival, {})
    steps = sorted(own.keys() & other.keys())
    gained = [own[s]["log_likelihood"] - other[s]["log_likelihood"] for s in steps]
    return steps, np.array(gained)


def state_of(city: str) -> str:
    """One line on a live city: when its last forecast was sealed and for when; empty if nothing is live."""
    path = data_root() / "live" / city / "log.jsonl"
    if not path.exists():
        return ""
    try:
        sealed = [entry for entry in Log(path.parent).entries() if entry["kind"] == "forecast"]
    except UserError as error:
        return str(error)
    if not sealed:
        return ""
    last = last_round(city)
    if last.get("failed"):
        return f"Live, but the last round failed: {last.get('said', '')}"
    steps = sealed[-1]["body"]["steps"]
    return f"Live: {steps[0]['step']} to {steps[-1]['step']} sealed {sealed[-1]['made'][:10]}"


def said(rows: list[dict[str, Any]]) -> list[str]:
    """What is worth a sentence: a run that falls behind a baseline, a forecast that drifts."""
    lines = []
    for row in rows:
        for versus in row["versus"]:
            if versus["verdict"] == WORDS[-1] and row["name"] not in BASELINES:
                lines.append(f"{row['name']} falls behind {versus['name']}.")
        if row["drifts"] != DRIFTS[0]:
            lines.append(f"{row['name']} drifts: {row['drifts']}.")
    return lines
