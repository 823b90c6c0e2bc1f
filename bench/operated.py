"""Faults as operators on networks of many families: is what was planted named first, where it costs something?

    python bench/operated.py [--half a|b|c] [--data FOLDER] [--keep FOLDER] [--json]

Every healthy network of the planted suite (`bench/planting`) is trained on each of its cities; every operator is applied
in every strength to a copy; what that costs on the validation period is measured beside the healthy twin, and the copy
is diagnosed. Where crimes excite others far away (`far`) a network that doesn't see so far isn't healthy, so that city is left to `planted.py`.
Families and cities are parted: thresholds were chosen on `a`, what `b` showed then chose between rules, and `c`, random
networks that were composed and trained after that, no choice has seen.
Networks trained in the folder to `--keep` are not trained again. A network that knows less than half of what
counting knows isn't healthy to begin with, and is left out. A plant that costs less than 0.002 an event counts as healthy. Writes results/operated.json and .md, of one half operated_a.json to operated_c.json.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.planting.case import Case, train
from bench.planting.cities import make
from bench.planting.specs import cases

RESULTS = Path(__file__).resolve().parent / "results"
COSTS = 0.002  # log-likelihood an event
KNOWS = 0.5  # of what counting knows, that a healthy twin has to know
# Families on which thresholds may be chosen; all others are left out.
CHOSEN = (
    "plain",
    "relu",
    "leaky",
    "tanh",
    "chain",
    "by_hand",
    "residual",
    "pooled",
    "unet",
    "negative",
)
CITIES = {"a": ("sample",), "b": ("bursts", "other", "chicago"), "c": ("other", "chicago")}
RANDOM = range(800, 818)  # the networks of c


def main() -> None:
    """Train, plant and diagnose all of the halves that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=tuple(CITIES))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--most", type=int, default=1000, help="networks of each half")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scratch = options.keep or Path(tempfile.mkdtemp())
    os.environ |= {"CRIMECAST_DATA": str(scratch), "OMP_NUM_THREADS": "1", "CRIMECAST_THREADS": "1"}
    well = [c for c in cases() if not c.codes and c.city == "sample" and options.only in c.name]
    jobs = []
    for half in [options.half] if options.half else list(CITIES):
        own = [c for c in well if any(word in c.name for word in CHOSEN) == (half == "a")]
        if half == "c":
            own = [Case(f"healthy: random {n}", module=f"random_{n}") for n in RANDOM]
        cities = [city for city in CITIES[half] if options.data or city != "chicago"]
        grids = {city: grid(city, scratch, options.data) for city in cities}
        for number, case in enumerate(own[: options.most]):
            city = cities[number % len(cities)]
            # Where several events happen at once, a Poisson's is the wrong likelihood: no network is healthy with it,
            # and a user's module has no other.
            city = "other" if city == "bursts" and case.module else city
            likelihood = "negative_binomial" if city == "bursts" else ""
            own_city = replace(case, city=city, cuts=None, likelihood=likelihood)
            jobs.append((half, own_city, grids[city]))
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for made in pool.map(planted, jobs):
            rows += made
            print(f"{len(rows)} {made[0]['network'] if made else ''}", file=sys.stderr, flush=True)
    document = {half: summary([r for r in rows if r["half"] == half]) for half in CITIES}
    document["rows"] = rows  # type: ignore[assignment]
    if not options.only:
        name = f"operated_{options.half}" if options.half else "operated"
        text = json.dumps(document, indent=1) + "\n"
        (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    if not options.only and not options.half:
        (RESULTS / "operated.md").write_text(markdown(document), encoding="utf-8")
    told = document if options.json else {k: v for k, v in document.items() if k != "rows"}
    print(json.dumps(told, indent=1))


def grid(city: str, scratch: Path, data: Path) -> str:
    """A city's grid, made once in a folder."""
    known = scratch / f"{city}.grid"
    if not known.exists():
        known.write_text(make(city, scratch, data), encoding="utf-8")
    return known.read_text(encoding="utf-8")


def trained(case: Case, grid: str) -> Any:
    """The run of a case, trained once in a folder."""
    from crimecast.runs.run import load_run

    name = re.sub(r"\W+", "-", f"{case.city} {case.name}")
    known = Path(os.environ["CRIMECAST_DATA"]) / f"{name}.run"
    if not known.exists():
        known.write_text(train(case, grid).id, encoding="utf-8")
    return load_run(known.read_text(encoding="utf-8"))


def planted(job: tuple[str, Case, str]) -> list[dict[str, Any]]:
    """All plants in one network: a row each, the healthy twin first."""
    import torch

    from bench.planting.operators import OPERATORS, sick
    from crimecast import UserError
    from crimecast.diagnose import Case as Evidence
    from crimecast.diagnose import judged

    torch.set_num_threads(1)
    half, case, grid = job
    try:
        run = trained(case, grid)
    except UserError:
        return []
    twin = Evidence(run)
    healthy = twin.gain(*twin.period)
    if twin.skill < KNOWS:
        return [
            {"half": half, "network": case.name, "city": case.city, "skill": round(twin.skill, 3)}
        ]
    rows = [_row(half, case, "", 0.0, (), None, 0.0, judged(twin), 0.0)]
    for operator in OPERATORS:
        for strength in operator.strengths:
            # Loaded anew, since a copy may hold on to its original.
            evidence = Evidence(run)
            made = sick(evidence.subject.network, operator, strength)
            if made is None:
                continue
            began = time.perf_counter()
            evidence.subject = replace(evidence.subject, network=made[0])
            cost = healthy - evidence.gain(*evidence.period)
            found = judged(evidence)
            took = time.perf_counter() - began
            rows.append(
                _row(
                    half, case, operator.name, strength, operator.codes, made[1], cost, found, took
                )
            )
    return rows


def _row(
    half: str, case: Case, operator: str, strength: float, codes: tuple[str, ...], layer: str | None,
    cost: float, found: list[Any], took: float,
) -> dict[str, Any]:  # fmt: skip
    first = found[0] if found else None
    at = [f.layer for f in found[:2] if f.code in codes]
    return {
        "half": half, "network": case.name, "city": case.city, "operator": operator, "strength": strength,
        "codes": list(codes), "layer": layer, "cost": round(cost, 5),
        "named": first.code if first else "", "severity": first.severity if first else "",
        "right": bool(first and first.code in codes),
        "right_layer": layer is None or any(one and (one == layer or one in layer or layer in one) for one in at),
        "top": len(found), "all": [f"{f.code} {f.layer or ''} {f.severity}".replace("  ", " ") for f in found],
        "seconds": round(took, 2),
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of the sick that are named, of the healthy that are left in peace, and by operator and strength."""
    left_out = [r for r in rows if "skill" in r]
    rows = [r for r in rows if "skill" not in r]
    sick = [r for r in rows if r["operator"] and r["cost"] >= COSTS]
    well = [r for r in rows if not r["operator"]]
    harmless = [r for r in rows if r["operator"] and r["cost"] < COSTS / 4]
    placed = [r for r in sick if r["layer"] and r["right"]]
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["operator"]:
            by[f"{row['operator']} {row['strength']:g}"].append(row)
    return {
        "sick": len(sick), "first": _share(sick, "right"), "layer": _share(placed, "right_layer"),
        "healthy": len(well), "without_high": _peace(well, ("high",)), "without_medium": _peace(well, ("high", "medium")),
        "left_out": [f"{r['network']}, {r['city']}" for r in left_out], "harmless": len(harmless), "harmless_without_high": _peace(harmless, ("high",)),
        "findings_on_sick": round(sum(r["top"] for r in sick) / max(1, len(sick)), 2),
        "by_strength": {
            name: {
                "networks": len(own), "cost": round(sorted(r["cost"] for r in own)[len(own) // 2], 4),
                "named_first": _share(own, "right"), "of_those_that_cost": _share([r for r in own if r["cost"] >= COSTS], "right"),
            }
            for name, own in by.items()
        },
    }  # fmt: skip


def _share(rows: list[dict[str, Any]], key: str) -> float | None:
    return round(sum(r[key] for r in rows) / len(rows), 3) if rows else None


def _peace(rows: list[dict[str, Any]], severities: tuple[str, ...]) -> float | None:
    calm = [r for r in rows if not any(one.endswith(severities) for one in r["all"])]
    return round(len(calm) / len(rows), 3) if rows else None


def markdown(document: dict[str, Any]) -> str:
    """The tables for people."""
    lines = ["# Faults as operators, on networks of many families", ""]
    for half, words in (
        ("c", "Random networks that no choice saw"),
        ("b", "Families and cities that no threshold was fitted on"),
        ("a", "Those on which thresholds were chosen"),
    ):
        own = document[half]
        lines += [
            f"## {words}", "",
            f"{own['sick']} plants that cost at least {COSTS} an event: named first {own['first']}, at the right layer "
            f"{own['layer']}; {own['findings_on_sick']} findings on each. {own['healthy']} healthy: without a high one "
            f"{own['without_high']}, without any medium {own['without_medium']}. {len(own['left_out'])} weren't healthy to begin with. {own['harmless']} harmless plants: without a high one "
            f"{own['harmless_without_high']}.", "",
            "| operator and strength | networks | median cost | named first | of those that cost |", "|---|---|---|---|---|",
        ]  # fmt: skip
        lines += [
            f"| {name} | {row['networks']} | {row['cost']} | {row['named_first']} | {row['of_those_that_cost']} |"
            for name, row in own["by_strength"].items()
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
