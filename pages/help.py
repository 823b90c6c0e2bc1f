"""Help: the words, the numbers, and what the tool must not be used for."""

import streamlit as st

from crimecast.storage.access import actor, audit
from pages.parts.frame import heading

heading(
    "Help",
    "The words used everywhere, what the numbers mean, and what a forecast can't be used for.",
)
st.markdown(
    """
**The loop.** *City* brings in records. *Grid* counts them on cells and steps. *Design & train* makes a network and
trains it in the background. *Forecast* shows where it is wrong; *Layers* shows what each of its layers sees. Then
fork the run, change the design, and see whether it got better.

| word | meaning |
|---|---|
| event | one record: a time, a place, a type |
| cell, step | the unit of space (metres) and of time (hour, day, week, month) |
| cube | the counts of events: time × type × y × x |
| study area | the cells that count: those that meet the city's boundary |
| lag | how many steps back a frame of history lies |
| memory | a decayed mean of a cell's own past, with a half-life in days |
| surprise | how much more than expected happened there lately |
| offset | the baseline that a network corrects |
| rate | the expected count of a cell in a step |
| sealed | a forecast stored before its day, in a log that can't be changed unseen |
| run | one training of a design on a grid, with a seed |

| score | what it says |
|---|---|
| log-likelihood per event | Σ(n ln λ − λ) / Σn: how well the rates fit what happened. Higher is better; differences count, not the value itself |
| Poisson deviance | mean of 2(n ln(n/λ) − (n − λ)). Lower is better |
| hit rate at 1 %, 5 % | share of events inside the 1 % or 5 % of cells forecast highest. Higher is better |
| PAI | hit rate divided by the share of the area flagged. Above 1 is better than chance |
| PEI | hits divided by the most hits that as many cells could have had. 1 is perfect |
| CRPS | mean distance between the forecast distribution of a count and the count, in events. Lower is better |
| PIT | where each count lies in its forecast distribution. All places should be equally frequent; a U is too sure, a hump too unsure |
| CKA | how alike what two layers say is, whatever the order of their channels: 0 not at all, 1 the same |

| forecast to beat | what it is |
|---|---|
| persistence | the step before |
| mean, seasonal_mean | the long-run mean of each cell; times the weekday's and the season's share |
| decayed_mean | a mean that forgets, with a half-life of its own finding |
| kde, kde_season | the past spread over its neighbourhood (kernel density), nearer times counting more; times the season |
| hawkes | a steady background, and events that bring others near (self-exciting process) |
| glm | a regression on each cell's recent and long past and the calendar |
| fourier_cox | the winner of a US forecasting challenge: a smooth random field of place and time |
| boosting | boosted trees on each cell's past at many spans (LightGBM) |
| memory_mixture | pasts of several spans and spreads, weighted, times how busy the whole city is |

A **module of your own** has `forward(history, calendar, static)`: counts of earlier steps (batch, steps, types, rows,
columns), the latest first; numbers that say the weekday and the day of the year (batch, numbers); input maps, none for
a module. It returns the logarithm of the expected counts (batch, types, rows, columns).

Every score is over steps the network never saw, one step ahead, from what lay before each step. Intervals are
95 %, from drawing whole weeks again and again.

**What it can't be used for.** Records show what was reported and recorded, not what happened. Where police look
more, they record more; sending them where a forecast points makes the forecast come true. Forecasts here are of
places and counts, never of persons, and are no ground for acting against anyone.
"""
)
if actor().operator and (done := audit()):
    lines = st.expander("What was done here, and by whom", on_change="rerun", key="audit")
    if lines.open:
        lines.dataframe(
            done, hide_index=True, alt="The latest actions: when (UTC), who, what, how it ended"
        )
