"""The proof of a run's network for the pages: made in the background, once."""

import threading

from crimecast.inspect.prove import Check, Proof, known_proof, proof_of
from crimecast.runs.run import Run

_making: set[tuple[str, int]] = set()
_lock = threading.Lock()  # proofs are made one after another, beside the page


def proof(run: Run) -> Proof | None:
    """The proof of a run's network; None while it is being made, which the first asking begins."""
    known = known_proof(run)
    if known is None and (key := (run.id, run.stamp)) not in _making:
        _making.add(key)
        threading.Thread(target=_make, args=(run,), daemon=True).start()
    return known


def _make(run: Run) -> None:
    with _lock:
        proof_of(run)


def said_of(run: Run, layer: str) -> tuple[str, list[str]]:
    """What of a layer's output is shown, and how, where that isn't simply all of it ("" where it is); and what
    isn't proven of it, in sentences: both as far as is known."""
    known = known_proof(run)
    if known is None:
        return "", []
    shown = next((one.shown for one in known.layers if one.layer == layer), "")
    return shown, [said(check) for check in known.doubts if check.layer == layer]


NAMES = {
    "replays": "its output follows from its inputs",
    "several": "what is shown and changed of it is all that the forecast reads of it",
    "axes": "which axis is the channels",
    "field": "what it can see",
    "repeats": "two passes agree",
    "batch": "samples of a batch don't see one another",
    "order": "nothing depends on the order of calls",
    "modes": "training and forecasting agree",
    "gradient": "the gradient is that of the forecast",
}


def said(check: Check) -> str:
    """A check in words."""
    of = f" of {check.layer}" if check.layer else ""
    why = f" ({check.why})" if check.why else ""
    return f"{NAMES[check.check]}{of}{why}"


def passed(made: Proof) -> list[str]:
    """The kinds of checks that all passed, in words."""
    kinds = dict.fromkeys(check.check for check in made.checks)
    failed = {check.check for check in made.doubts}
    return [NAMES[kind] for kind in kinds if kind not in failed]
