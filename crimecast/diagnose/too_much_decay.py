"""Weights that decay pulls back faster than the data can hold them.

AdamW shrinks a weight by e^(−rate · decay · updates) where nothing holds it. Counts when that is below a third, the
network knows less than 90 % of what the mixture of memories knows, and the training period is forecast no better
than what came after it: what was learnt by heart is another finding. High where it knows less than half.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

SHRUNK = 1.1  # in the exponent: e^-1.1 is a third
KNOWS, LITTLE = 0.9, 0.5
STRONG = 0.05  # what is used on purpose lies below


def judge(case: Case) -> Iterator[Finding]:
    """How much decay shrinks weights over the training."""
    training = case.design.training
    updates = max((point[0] for point in case.curve), default=0.0)
    shrinks = training.learning_rate * training.weight_decay * updates
    if training.weight_decay < STRONG or shrinks < SHRUNK or case.skill >= KNOWS:
        return
    if case.gain(*case.end_of_training) > 1.2 * max(case.gain(*case.period), 0.01):
        return
    yield Finding(
        "too_much_decay", None, "high" if case.skill < LITTLE else "medium",
        {"weight_decay": training.weight_decay, "shrinks_by": round(shrinks, 2), "share_of_its_knowledge": round(case.skill, 3)},
        f"A weight decay of {training.weight_decay:g} over {updates:,.0f} updates pulls all weights towards zero, faster than the data hold them: use less.",
        {"training.weight_decay": 1e-3},
    )  # fmt: skip
