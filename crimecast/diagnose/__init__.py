"""What is wrong with a trained network, with evidence, advice and a patch to its spec.

One finding a file: what is measured, from where on it counts and why, and the judge that says so.
"""

from collections.abc import Callable

from crimecast.diagnose import (
    border_artifact,
    break_in_data,
    checkerboard,
    clamped,
    collapsed_to_mean,
    dead_units,
    default_location,
    exploding_gradients,
    frozen,
    ignored_input,
    late_records,
    leakage,
    masked_input,
    misaligned,
    miscalibrated,
    not_repeatable,
    overfit,
    rate_for_log,
    receptive_field_too_large,
    receptive_field_too_small,
    redundant_channels,
    same_memories,
    saturated_units,
    too_much_decay,
    too_narrow,
    too_thin,
    too_wide,
    train_forecast_gap,
    underfit,
    unread_memories,
    unstable_loss,
    unused_layer,
    vanishing_gradients,
    worse_than_baseline,
    wrong_lag_order,
    wrong_scale,
)  # fmt: skip
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import SEVERITIES, Finding
from crimecast.diagnose.folding import folded
from crimecast.diagnose.weighing import ranked, weighed
from crimecast.runs.run import Run

Told = Callable[[str, float], None]
# Causes before what they lead to: of two findings as severe, the first named is the one to act on.
JUDGES = (
    leakage, not_repeatable, masked_input, train_forecast_gap, exploding_gradients, frozen,
    too_narrow, dead_units, saturated_units, unused_layer, unstable_loss, vanishing_gradients, checkerboard, redundant_channels,
    misaligned, rate_for_log, too_much_decay, underfit, ignored_input, wrong_lag_order, clamped, wrong_scale, receptive_field_too_small, overfit, border_artifact, too_wide, same_memories, unread_memories, late_records, break_in_data, default_location,
    too_thin, collapsed_to_mean, miscalibrated, worse_than_baseline, receptive_field_too_large,
)  # fmt: skip
# What each of these does to the forecast can be undone without training again.
MENDED = {
    "dead_units": dead_units.mended, "misaligned": misaligned.mended, "not_repeatable": not_repeatable.mended,
    "train_forecast_gap": train_forecast_gap.mended, "wrong_lag_order": wrong_lag_order.mended,
    "wrong_scale": wrong_scale.mended, "miscalibrated": miscalibrated.mended,
}  # fmt: skip

__all__ = ["SEVERITIES", "Case", "Finding", "diagnose", "judged"]


def diagnose(run: Run, told: Told | None = None) -> list[Finding]:
    """Every finding that is no other's consequence, the most severe first and causes before their effects. `told` hears
    which rule is looked at, and how much is done.

    Raises UserError if the run has no network yet.
    """
    return judged(Case(run), told)


def judged(case: Case, told: Told | None = None) -> list[Finding]:
    """The findings of a case."""
    found: list[Finding] = []
    for number, one in enumerate(JUDGES):
        if told is not None:
            told(one.__name__.rpartition(".")[2].replace("_", " "), number / len(JUDGES))
        found += one.judge(case)
    weights = weighed(case, found, MENDED)
    # What another fault explains brings nothing about; the rest by what it is in itself.
    causes = [w if w.severity == "low" else f for f, w in zip(found, weights, strict=True)]
    top = folded(case, causes, MENDED, weights)
    return ranked(case, top, MENDED)
