"""Steering by itself: apply the first advised patch to a fork, train it, and go on from the better."""

from collections.abc import Callable
from typing import Any

from crimecast import UserError
from crimecast.diagnose import diagnose
from crimecast.diagnose.patch import patched
from crimecast.runs import queue
from crimecast.runs.run import Run


def fork(run: Run, patch: dict[str, Any]) -> Run:
    """Queue a fork of a run with a patch applied, trained as the run was. Raises UserError if the
    patched design can't be built."""
    settings = run.settings
    return queue.submit(
        queue.Request(
            patched(run.design, patch), run.grid, settings.train_until, settings.validate_until,
            seed=run.seed, device=run.device, parent=run.id, refit=settings.refit,
        )
    )  # fmt: skip


def steer(
    run: Run, rounds: int, tell: Callable[[str], None] = lambda text: None
) -> list[dict[str, Any]]:
    """Up to `rounds` forks, each by the first patch that wasn't tried yet; returns what was done.

    The next fork starts from the best run so far by validation loss. Raises UserError if the run is
    not done or has a module of its own, which has no spec to patch.
    """
    if run.state != "done" or not run.spec:
        raise UserError(f"{run.id} can't be steered: it must be a trained run of a spec.")
    best, tried, made = run, set(), []
    for number in range(rounds):
        # Causes first: where none has a change to try, that of what follows from them may help.
        causes = diagnose(best)
        every = [*causes, *(one for cause in causes for one in cause.whole()[1:])]
        step = next((f for f in every if f.patch and (f.code, str(f.patch)) not in tried), None)
        if step is None:
            break
        tried.add((step.code, str(step.patch)))
        try:
            began = fork(best, step.patch)
        except UserError as error:
            made.append(
                {
                    "round": number + 1,
                    "finding": step.code,
                    "patch": step.patch,
                    "refused": str(error),
                }
            )
            continue
        tell(f"round {number + 1}: {step.code}, {began.id}")
        child = queue.wait(began.id)
        before, after = best.summary["validation_loss"], child.summary.get("validation_loss")
        better = child.state == "done" and after is not None and after < before
        made.append(
            {
                "round": number + 1, "finding": step.code, "layer": step.layer, "patch": step.patch,
                "run": child.id, "state": child.state, "before": before, "after": after, "kept": better,
            }
        )  # fmt: skip
        if better:
            best = child
    return made
