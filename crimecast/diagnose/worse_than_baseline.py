"""Log-likelihood an event below that of the mixture of memories, paired on the same weeks.

Counts when the whole interval lies below zero; high if the network knows less than a quarter of what
counting knows: of the mixture's gain over one rate for all cells and steps; medium below a half. Networks without an offset,
trained for a dozen epochs, know 60 to 80 % (bench/results/planted.md): for them it is low.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.scoring import compare

LITTLE, HALF = 0.25, 0.5


def judge(case: Case) -> Iterator[Finding]:
    """A forecast that simple counting beats."""
    versus = compare(case.sums(case.rates), case.sums(case.baseline))
    if versus["interval"][1] < 0:
        share = case.skill
        yield Finding(
            "worse_than_baseline", None, "high" if share < LITTLE else "medium" if share < HALF else "low",
            {"difference": versus["difference"], "interval": versus["interval"], "share_of_its_knowledge": round(share, 3), "baseline": "memory_mixture"},
            "A mixture of memories forecasts better: give the network those memories, and correct the mixture in place of starting from nothing.",
            {} if case.design.offset == "memory_mixture" or not case.is_spec else {"offset": "memory_mixture"},
        )  # fmt: skip
