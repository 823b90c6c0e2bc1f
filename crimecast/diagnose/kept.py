"""Findings kept beside their run, so that no page makes again what it has."""

from collections.abc import Callable

from crimecast.diagnose.finding import Finding
from crimecast.runs.run import Run
from crimecast.storage.kept import code_of
from crimecast.storage.store import read_json, write_json


def findings_of(run: Run, told: Callable[[str, float], None] | None = None) -> list[Finding]:
    """The findings of a run's network, made at the first asking; `told` hears how far that is.

    Raises UserError if the run has no network yet.
    """
    from crimecast.diagnose import diagnose  # brings torch

    known = known_findings(run)
    if known is None:
        known = diagnose(run, told)
        write_json(
            run.folder / "findings.json",
            {"stamp": _stamp(run), "findings": [finding.row() for finding in known]},
        )
    return known


def known_findings(run: Run) -> list[Finding] | None:
    """The findings if they were made of this network by these rules."""
    path = run.folder / "findings.json"
    if run.state != "done" or not path.exists():
        return None
    kept = read_json(path)
    return (
        [Finding.of_row(row) for row in kept["findings"]] if kept["stamp"] == _stamp(run) else None
    )


def _stamp(run: Run) -> list[object]:
    return [run.stamp, code_of("diagnose", "inspect", "judging", "networks", "designs").hex()]
