"""Networks that are sick on purpose, and healthy ones: does the diagnosis name what was planted?

    python bench/planted.py [--data FOLDER] [--only TEXT] [--json]

Each network is trained for a few epochs, on the sample city, on simulated ones or on Chicago (with
--data, the folder of its records), and then diagnosed. `first` is the share of sick ones whose planted
fault is named first, `layer` the share of those with a planted layer for which it is named there,
`healthy` the share of healthy ones without a finding of high severity. Writes results/planted.json and
.md, which the thresholds of crimecast/diagnose rest on.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.planting.case import Case, train
from bench.planting.cities import make
from bench.planting.specs import cases

RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Train and diagnose every case, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())
    os.environ["CRIMECAST_DATA"] = str(scratch)
    chosen = [
        c for c in cases() if options.only in c.name and (options.data or c.city != "chicago")
    ]
    grids: dict[str, str] = {}
    rows = []
    for case in chosen:
        if case.city not in grids:
            grids[case.city] = make(case.city, scratch, options.data)
        rows.append(judged(case, grids[case.city]))
        if not options.json:
            r = rows[-1]
            print(
                f"{'ok ' if r['right'] and r['right_layer'] else 'NO '} {r['case']:<30} {r['named']} "
                f"{r['named_at'] or ''} {r['severity']} {r['evidence']} | {r['others']}",
                flush=True,
            )
    document = summary(rows)
    if not options.only and options.data:
        (RESULTS / "planted.json").write_text(
            json.dumps(document, indent=1) + "\n", encoding="utf-8"
        )
        (RESULTS / "planted.md").write_text(markdown(document), encoding="utf-8")
    print(
        json.dumps(document) if options.json else {k: v for k, v in document.items() if k != "rows"}
    )


def judged(case: Case, grid: str) -> dict[str, Any]:
    """Train and diagnose one case: a row of the table."""
    from crimecast import UserError
    from crimecast.diagnose import diagnose

    began = time.perf_counter()
    nothing: dict[str, Any] = {"code": "", "layer": None, "severity": "", "evidence": {}}
    try:
        found = [f.row() for f in diagnose(train(case, grid))] or [nothing]
    except UserError as error:
        # A loss that is no longer a number ends the training, in a sentence that says so.
        found = [nothing | {"code": "unstable_loss", "severity": "high", "evidence": str(error)}]
    first = found[0]
    return {
        "case": case.name, "planted": list(case.codes), "at": list(case.layers),
        "named": first["code"], "named_at": first["layer"], "severity": first["severity"],
        "evidence": first["evidence"],
        "others": [f"{f['code']} {f['layer'] or ''} {f['severity']}".replace("  ", " ") for f in found[1:]],
        "right": (first["code"] in case.codes) if case.codes else first["severity"] != "high",
        "right_layer": not case.layers
        or any(f["code"] in case.codes and f["layer"] in case.layers for f in found[:2]),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The three shares, and the rows."""
    sick = [r for r in rows if r["planted"]]
    well = [r for r in rows if not r["planted"]]
    placed = [r for r in sick if r["at"]]
    return {
        "sick": len(sick), "healthy_count": len(well),
        "first": round(sum(r["right"] for r in sick) / max(1, len(sick)), 3),
        "layer": round(sum(r["right_layer"] for r in placed) / max(1, len(placed)), 3),
        "healthy": round(sum(r["right"] for r in well) / max(1, len(well)), 3),
        "rows": rows,
    }  # fmt: skip


def markdown(document: dict[str, Any]) -> str:
    """The table for people."""
    lines = [
        f"# Planted faults: {document['sick']} sick networks, {document['healthy_count']} healthy",
        "",
        f"The planted fault is named first in {100 * document['first']:.0f} %, at its layer in "
        f"{100 * document['layer']:.0f} % of those that have one; {100 * document['healthy']:.0f} % of the "
        "healthy have no finding of high severity. Networks called module are users' own "
        "(`bench/planting/modules.py`).",
        "",
        "| network | planted | named first | at | severity | also |",
        "|---|---|---|---|---|---|",
    ]
    for r in document["rows"]:
        lines.append(
            f"| {r['case']} | {' or '.join(r['planted'])} {r['at'][0] if r['at'] else ''} | {r['named']} "
            f"| {r['named_at'] or ''} | {r['severity']} | {'; '.join(r['others'])} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
