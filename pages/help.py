"""Help: the words, the numbers, and what the tool must not be used for."""

import streamlit as st

from crimecast.storage.access import actor, audit
from crimecast.views.words import FIT, FORECASTS, MISFIT, OF_BEST
from pages.parts.frame import heading
from pages.parts.reader import designer
from pages.parts.text import text

heading(
    "Help",
    "The words used everywhere, what the numbers mean, and what a forecast can't be used for.",
)
LOOP = """
**The loop.** *City* brings in records. *Grid* counts them on cells and steps. *Design & train* makes a network and
trains it in the background. *Forecast* shows where it is wrong; *Layers* shows what each of its layers sees. Then
fork the run, change the design, and see whether it got better.
"""
READING = """
**Reading a forecast.** *Tomorrow* says what is expected, where, and why there. *Forecast* shows what was expected
beside what happened. *Compare* says whether simpler forecasts do as well, and who is watched more than others.
*Unseen* says whether it holds on later time and in other places. *Findings* says what is wrong with it.
"""
WORDS = """
| word | meaning |
|---|---|
| event | one record: a time, a place, a type |
| cell, step | the unit of space (metres) and of time (hour, day, week, month) |
| study area | the cells that count: those that meet the city's boundary |
| surprise | how much more than expected happened there lately |
| sealed | a forecast stored before its day, in a log that can't be changed unseen |
| run | one training of a design on a grid |
"""
INSIDE = """| cube | the counts of events: time × type × y × x |
| lag | how many steps back a frame of history lies |
| memory | a decayed mean of a cell's own past, with a half-life in days |
| offset | the baseline that a network corrects |
| rate | the expected count of a cell in a step |
| seed | what its weights are drawn from before training |
"""
SCORES = f"""
| score | what it says |
|---|---|
| {FIT.plain} | {FIT.meaning} |
| hits in 1 %, 5 % | share of events inside the 1 % or 5 % of cells forecast highest. Higher is better |
"""
FORMULAS = f"""| {MISFIT.plain} | {MISFIT.meaning} |
| {OF_BEST.plain} | {OF_BEST.meaning} |

| in the field | what it is |
|---|---|
| log-likelihood per event | Σ(n ln λ − λ) / Σn, here *{FIT.plain}* |
| Poisson deviance | mean of 2(n ln(n/λ) − (n − λ)), here *{MISFIT.plain}* |
| PAI | hit rate divided by the share of the area flagged. Above 1 is better than chance |
| PEI | hits divided by the most hits that as many cells could have had, here *{OF_BEST.plain}* |
| CRPS | mean distance between the forecast distribution of a count and the count, in events. Lower is better |
| PIT | where each count lies in its forecast distribution. All places should be equally frequent; a U is too sure, a hump too unsure |
| CKA | how alike what two layers say is, whatever the order of their channels: 0 not at all, 1 the same |
"""
OWN = """
A **module of your own** has `forward(history, calendar, static)`: counts of earlier steps (batch, steps, types, rows,
columns), the latest first; numbers that say the weekday and the day of the year (batch, numbers); input maps, none for
a module. It returns the logarithm of the expected counts (batch, types, rows, columns).
"""
FAIR = """
Every score is over steps the network never saw, one step ahead, from what lay before each step. Intervals are
95 %, from drawing whole weeks again and again.

**What it can't be used for.** Records show what was reported and recorded, not what happened. Where police look
more, they record more; sending them where a forecast points makes the forecast come true. Forecasts here are of
places and counts, never of persons, and are no ground for acting against anyone.
"""


BEATEN = """
| forecast to beat | what it is |
|---|---|
"""
BEATEN_INSIDE = """
| forecast to beat | what it is | in the field | typed |
|---|---|---|---|
"""
if designer():
    rows = "\n".join(
        f"| {text(word.plain)} | {text(word.meaning)} | {text(word.term)} | {text(name)} |"
        for name, word in FORECASTS.items()
    )
    st.markdown(
        LOOP + WORDS + INSIDE + SCORES + FORMULAS + BEATEN_INSIDE + rows + "\n" + OWN + FAIR
    )
else:
    rows = "\n".join(
        f"| {text(word.plain)} | {text(word.meaning)} |" for word in FORECASTS.values()
    )
    st.markdown(READING + WORDS + SCORES + BEATEN + rows + "\n" + FAIR)
if actor().operator and (done := audit()):
    lines = st.expander("What was done here, and by whom", on_change="rerun", key="audit")
    if lines.open:
        lines.dataframe(
            done, hide_index=True, alt="The latest actions: when (UTC), who, what, how it ended"
        )
