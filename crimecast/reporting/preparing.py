"""What pages show first of a run, worked out when its training has ended: `python -m crimecast.reporting.preparing RUN …`.

At the lowest priority, by one thread; whatever is asked for meanwhile is worked out there and then. What is made is kept
where pages look for it: forecasts and those of quick baselines, findings, the proof, the days to come.
"""

import contextlib
import os
import sys

from crimecast import UserError
from crimecast.diagnose.kept import findings_of
from crimecast.forecasting.forecasts import rates, rivals
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.inspect.prove import proof_of
from crimecast.lineage.tree import effect
from crimecast.runs.run import load_run
from crimecast.views.tomorrow import tomorrow_view
from crimecast.views.yesterday import before


def prepare(name: str) -> None:
    """Work out what the pages of a trained run need. Raises UserError for a run that has no network."""
    run = load_run(name)
    first, last = unseen_period(run)
    for other in (run.id, *rivals(run, first, last)):
        rates(other, load_cube(run.grid), first, last)
    tomorrow_view(run.id, run.grid)
    before(run.id, run.grid)
    effect(run)
    findings_of(run)
    proof_of(run)


def main(names: list[str]) -> None:
    """One after the other; a run that was deleted meanwhile, or can't be forecast, is passed over."""
    os.nice(19)
    for name in names:
        with contextlib.suppress(UserError, OSError):
            prepare(name)


if __name__ == "__main__":
    main(sys.argv[1:])
