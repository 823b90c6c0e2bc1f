"""Reading: files of records in every form and with dirt, made from true events; how many are read right.

    python bench/records.py --files 10000 --json

`silently_wrong` files were read and differ from the truth in some event; `refused` ones got a
sentence; `right` ones hold the truth event by event. The figures go to bench/results/records.json.
The generator, `tests/messy.py`, shares nothing with the reader.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

RESULT = Path(__file__).parent / "results" / "records.json"


def one(seed: int) -> tuple[int, str, str, dict[str, str]]:
    from tests.messy import make, outcome

    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRIMECAST_DATA"] = folder
        messy = make(seed, Path(folder))
        try:
            verdict, text = outcome(messy, "city")
        except Exception as error:  # a traceback is the worst of all answers
            verdict, text = "crashed", repr(error)[:300]
        return seed, verdict, text, messy.made_of


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--show", type=int, default=20, help="how many of the wrong and refused to print"
    )
    options = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    counts: Counter[str] = Counter()
    examples: dict[str, list[Any]] = {}
    forms: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(
        min(2, os.cpu_count() or 1), maxtasksperchild=500
    ) as pool:
        for seed, verdict, text, made_of in pool.imap_unordered(
            one, range(options.first, options.first + options.files), chunksize=20
        ):
            counts[verdict] += 1
            forms.update(
                f"{key}={value}"
                for key, value in made_of.items()
                if key in ("time", "place", "container")
            )
            if verdict != "right":
                examples.setdefault(verdict, []).append((seed, text, made_of))
    result = {
        "files": options.files,
        "silently_wrong": counts["wrong"] + counts["crashed"],
        "refused": counts["refused"],
        "right": counts["right"],
        "refused_share": counts["refused"] / options.files,
        "forms": len(forms),
        "refused_because": Counter(
            text[:60] for _, text, _ in examples.get("refused", [])
        ).most_common(8),
    }
    for verdict, entries in examples.items():
        for seed, text, made_of in sorted(entries)[: options.show]:
            print(f"{verdict} {seed}: {text} {made_of}", file=sys.stderr)
    if options.files >= 10_000:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1) if options.json else result)


if __name__ == "__main__":
    main()
