"""What is found inside of a network weighs no more than what the forecast can lose by it.

Silent, saturated or copied channels are told by how many they are, which says nothing of what they cost. What the forecast
may still lose is known from outside: once what can be undone is (a wrong total, a stretched logarithm, a turned map),
a forecast that isn't behind simple counting (`memory_mixture`) has little left to lose. Then such findings are medium at
most; and low where it is only as good after something was undone, which then is the cause.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import SEVERITIES, Finding

BEHIND = 0.005  # log-likelihood an event below the baseline that still is as good
BELOW = 0.001  # the same for a network that begins with the baseline's own, or another, offset
GAINS = 0.002  # that undoing something has to bring to be the cause
# Judged by their number or by their gradients, not by the forecast.
INSIDE = {
    "dead_units", "saturated_units", "redundant_channels", "too_narrow", "unused_layer", "vanishing_gradients",
    "exploding_gradients", "unstable_loss", "ignored_input", "underfit", "overfit", "checkerboard", "too_wide", "same_memories", "unread_memories",
    "receptive_field_too_small", "receptive_field_too_large",
}  # fmt: skip
CERTAIN = {"redundant_channels", "frozen", "unused_layer"}  # nothing else brings them about

COSTLY = {
    "leakage",
    "not_repeatable",
    "clamped",
    "redundant_channels",
}  # whatever undoing it brings
EITHER = ("miscalibrated", "wrong_scale")

Mending = Callable[[Case, Finding], np.ndarray | None]


def weighed(case: Case, found: list[Finding], mend: Mapping[str, Mending]) -> list[Finding]:
    """The findings with the severity that what they can cost leaves them."""
    if not any(one.code in INSIDE and one.severity != "low" for one in found):
        return found
    undone = [(one, made) for one in found if (made := _undone(case, one, mend)) is not None]
    gains = [case.above(rates, case.rates) for _, rates in undone]
    best = int(np.argmax(gains)) if gains and max(gains) > GAINS else None
    cause, rates = (None, case.rates) if best is None else undone[best]
    ahead = case.above(rates, case.baseline)
    if ahead < -(BEHIND if case.design.offset == "none" else BELOW):
        return found
    return [_lowered(one, cause, ahead) if one.code in INSIDE else one for one in found]


def ranked(case: Case, top: list[Finding], mend: Mapping[str, Mending]) -> list[Finding]:
    """The most severe first; of those as severe what is known to cost something, by what undoing it brings, before
    what may cost nothing. A wrong total and a stretched logarithm each bring the other about: that first which
    brings more."""
    made: list[Finding] = []
    for severity in SEVERITIES:
        own = [one for one in top if one.severity == severity]
        gains = {
            id(one): case.above(rates, case.rates)
            for one in own
            if len(own) > 1 and (rates := _undone(case, one, mend)) is not None
        }
        costs = [one for one in own if one.code in COSTLY or gains.get(id(one), 0.0) > GAINS]
        either = iter(sorted((one for one in costs if one.code in EITHER), key=lambda one: -gains[id(one)]))  # fmt: skip
        made += [next(either) if one.code in EITHER else one for one in costs]
        made += [one for one in own if one not in costs]
    return made


def _undone(case: Case, one: Finding, mend: Mapping[str, Mending]) -> np.ndarray | None:
    return mend[one.code](case, one) if one.code in mend else None


def _lowered(one: Finding, cause: Finding | None, ahead: float) -> Finding:
    if one is cause:
        return one
    most = "medium" if cause is None or one.code in CERTAIN else "low"
    if SEVERITIES.index(one.severity) >= SEVERITIES.index(most):
        return one
    return replace(one, severity=most, evidence=one.evidence | {"above_counting": round(ahead, 4)})
