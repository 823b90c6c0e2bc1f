"""What is wrong with a trained network, with evidence, advice and a patch to its spec.

One finding a file: what is measured, from where on it counts and why, and the judge that says so.
"""

from crimecast.diagnose import (
    border_artifact,
    checkerboard,
    collapsed_to_mean,
    dead_units,
    exploding_gradients,
    ignored_input,
    leakage,
    miscalibrated,
    overfit,
    receptive_field_too_large,
    receptive_field_too_small,
    redundant_channels,
    saturated_units,
    too_narrow,
    too_wide,
    underfit,
    unstable_loss,
    unused_layer,
    vanishing_gradients,
    worse_than_baseline,
)  # fmt: skip
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import SEVERITIES, Finding
from crimecast.runs.run import Run

# Causes before what they lead to: of two findings as severe, the first named is the one to act on.
JUDGES = (
    leakage, exploding_gradients, unused_layer, too_narrow, dead_units, saturated_units, unstable_loss,
    vanishing_gradients, checkerboard, redundant_channels, underfit, ignored_input,
    receptive_field_too_small, overfit, border_artifact, too_wide, miscalibrated, collapsed_to_mean,
    worse_than_baseline, receptive_field_too_large,
)  # fmt: skip

__all__ = ["SEVERITIES", "Case", "Finding", "diagnose"]


def diagnose(run: Run) -> list[Finding]:
    """Every finding, the most severe first and causes before their effects.

    Raises UserError if the run has no network yet.
    """
    case = Case(run)
    found = [finding for one in JUDGES for finding in one.judge(case)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
