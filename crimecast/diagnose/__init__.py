"""What is wrong with a trained network, with evidence, advice and a patch to its spec."""

from collections.abc import Callable, Iterator

from crimecast.diagnose import forecast, layers, learning, sight, units, width
from crimecast.diagnose.finding import SEVERITIES, Case, Finding
from crimecast.runs import Run

# Causes before what they lead to: of two findings as severe, the first named is the one to act on.
RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    forecast.leakage,
    learning.exploding_gradients,
    learning.unstable_loss,
    units.dead_units,
    units.saturated_units,
    learning.vanishing_gradients,
    width.too_narrow,
    layers.unused_layer,
    width.redundant_channels,
    sight.ignored_input,
    sight.receptive_field_too_small,
    learning.overfit,
    learning.underfit,
    forecast.checkerboard,
    forecast.border_artifact,
    forecast.miscalibrated,
    forecast.collapsed_to_mean,
    forecast.worse_than_baseline,
    width.too_wide,
    sight.receptive_field_too_large,
)

__all__ = ["SEVERITIES", "Case", "Finding", "diagnose"]


def diagnose(run: Run) -> list[Finding]:
    """Every finding, the most severe first and causes before their effects.

    Raises UserError if the run has no network yet.
    """
    case = Case(run)
    found = [finding for rule in RULES for finding in rule(case)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
