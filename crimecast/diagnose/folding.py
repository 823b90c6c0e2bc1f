"""Findings that follow from another are put under it, so that the list is of causes.

Whether they follow is tried where it can be: what a cause does to the forecast is undone (the map turned back, the
order of frames put right, the statistics of batches used, the total scaled) and the symptoms are judged anew on the mended forecast.
Of what only another training could undo, the symptoms are those that the fault brings about in networks in
which nothing else was planted (`bench/planted.py`): what lies at layers that it cuts off, and what the whole forecast shows.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from crimecast.diagnose.border_artifact import judge as border_artifact
from crimecast.diagnose.case import Case
from crimecast.diagnose.collapsed_to_mean import judge as collapsed_to_mean
from crimecast.diagnose.finding import SEVERITIES, Finding
from crimecast.diagnose.miscalibrated import judge as miscalibrated
from crimecast.diagnose.weighing import EITHER, Mending
from crimecast.diagnose.worse_than_baseline import judge as worse_than_baseline
from crimecast.diagnose.wrong_scale import judge as wrong_scale

# Judged on nothing but the forecast: they can be judged anew on a mended one.
OF_FORECAST: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "miscalibrated": miscalibrated, "collapsed_to_mean": collapsed_to_mean,
    "worse_than_baseline": worse_than_baseline, "wrong_scale": wrong_scale,
    "border_artifact": border_artifact,
}  # fmt: skip
WHOLE = {
    "worse_than_baseline",
    "collapsed_to_mean",
    "miscalibrated",
    "border_artifact",
    "underfit",
    "wrong_scale",
    "clamped",
    "wrong_lag_order",
    "overfit",
}
SURE = {
    "collapsed_to_mean",
    "redundant_channels",
    "ignored_input",
    "frozen",
    "too_much_decay",
}  # nothing but they themselves can have brought it about
SILENT = {"ignored_input", "unused_layer", "vanishing_gradients", "frozen"}
# What a cause that only another training undoes brings about.
BRINGS = {
    "exploding_gradients": WHOLE | SILENT | {"unstable_loss", "dead_units", "saturated_units", "redundant_channels"},
    "unstable_loss": WHOLE | SILENT | {"dead_units", "saturated_units", "redundant_channels", "wrong_scale"},
    "unused_layer": {"worse_than_baseline", "ignored_input"},
    "too_narrow": WHOLE | SILENT | {"redundant_channels"},
    "dead_units": WHOLE | SILENT | {"dead_units", "redundant_channels", "too_wide", "overfit"},
    "saturated_units": WHOLE | SILENT | {"saturated_units", "dead_units", "redundant_channels"},
    "vanishing_gradients": WHOLE | SILENT | {"dead_units", "saturated_units", "redundant_channels"},
    "frozen": WHOLE | SILENT | {"redundant_channels", "dead_units"},
    "redundant_channels": WHOLE | {"ignored_input", "redundant_channels", "misaligned"},
    "checkerboard": {"worse_than_baseline"},
    "too_much_decay": WHOLE | SILENT | {"dead_units", "redundant_channels"},
    "underfit": WHOLE | SILENT,
    "overfit": {"worse_than_baseline", "miscalibrated", "too_wide"},
    "ignored_input": WHOLE | {"ignored_input", "unused_layer", "train_forecast_gap", "redundant_channels"},
    "receptive_field_too_small": {"worse_than_baseline"},
    "leakage": {"miscalibrated", "worse_than_baseline", "receptive_field_too_small"},
    "too_thin": {"worse_than_baseline", "overfit", "collapsed_to_mean", "underfit"},
    "late_records": {"miscalibrated", "worse_than_baseline"},
    "break_in_data": {"miscalibrated", "worse_than_baseline"},
    "default_location": {"miscalibrated"},
    "border_artifact": {"worse_than_baseline", "miscalibrated"},
    "clamped": {"miscalibrated", "worse_than_baseline", "wrong_scale", "collapsed_to_mean", "ignored_input", "border_artifact"},
    "collapsed_to_mean": {"miscalibrated", "worse_than_baseline"},
    "wrong_scale": {"clamped", "border_artifact"},
    "rate_for_log": WHOLE | SILENT,
}  # fmt: skip


def folded(
    case: Case,
    found: list[Finding],
    mend: Mapping[str, Mending],
    weights: list[Finding] | None = None,
) -> list[Finding]:
    """The findings that are no other's consequence, with those that are under them, the worst first; of those as bad
    causes are to come before what they lead to. A cause is as severe as the worst that follows from it; `weights` are
    the same findings with the severity that they are shown with."""
    left = sorted(zip(found, weights or found, strict=True), key=lambda pair: _bad(pair[0]))
    top: list[Finding] = []
    while left:
        cause, shown = left.pop(0)
        mended = _Mended(case, cause, mend)
        under = [pair for pair in left if _follows(cause, pair[0], mended)]
        left = [pair for pair in left if pair not in under]
        lights = tuple(light for _, light in under)
        worst = min(SEVERITIES.index(one.severity) for one in (shown, *lights))
        top.append(replace(shown, severity=SEVERITIES[worst], consequences=lights))
    return top


def _bad(one: Finding) -> int:
    """How bad a finding is as a cause: 0 is the worst. Nothing else can have brought some of them about, and whether a
    stretched logarithm did is tried."""
    level = SEVERITIES.index(one.severity)
    return 0 if level == 1 and (one.code in SURE or one.code == "wrong_scale") else level


class _Mended:
    """The case with the forecast as it is when what a cause does to it is undone: made once, if it is asked for."""

    def __init__(self, case: Case, cause: Finding, mend: Mapping[str, Mending]) -> None:
        self._case, self._cause, self._mend = case, cause, mend

    @cached_property
    def case(self) -> Case | None:
        """None where nothing can be undone."""
        if self._cause.code not in self._mend:
            return None
        rates = self._mend[self._cause.code](self._case, self._cause)
        if rates is None:
            return None
        made = copy.copy(self._case)
        made.__dict__.pop("skill", None)
        made.__dict__["rates"] = rates
        return made


def _follows(cause: Finding, other: Finding, mended: _Mended) -> bool:
    if SEVERITIES.index(cause.severity) > SEVERITIES.index("medium"):
        return False
    is_rate = "least_log_rate" in cause.evidence
    brings = BRINGS.get("rate_for_log" if is_rate else cause.code, set())
    # What the whole forecast shows may have another cause, unless this one is as bad; a wrong total or scale has,
    # unless this one is bad.
    mild = other.severity == "low" if other.code in EITHER else other.severity != "high"
    alone = cause.code in SURE or cause.severity == "high" or mild
    as_bad = _bad(cause) <= SEVERITIES.index(other.severity)
    if as_bad and other.code in brings and (other.code not in WHOLE or alone):
        return True
    if other.code not in OF_FORECAST or mended.case is None:
        return False
    again = OF_FORECAST[other.code](mended.case)
    return all(SEVERITIES.index(one.severity) > SEVERITIES.index(other.severity) for one in again)
