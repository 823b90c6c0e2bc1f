"""One plain name for each thing that pages show; the field's term stands in its help.

docs/words.md lists them, and the terms that an analyst is not shown.
"""

import re
from dataclasses import dataclass

from crimecast.forecasting.forecasts import TRUTH, at_horizon


@dataclass(frozen=True)
class Word:
    """What a thing is called on pages, the field's term for it, and what it means."""

    plain: str
    term: str
    meaning: str

    @property
    def help(self) -> str:
        """For the help beside the plain name."""
        return f"{self.meaning} In the field: {self.term}."


FIT = Word(
    "fit per event",
    "log-likelihood per event",
    "How well the expected numbers match what happened. Higher is better; only differences count: 0.001 more makes "
    "what happened one part in a thousand more probable, for every event.",
)
MISFIT = Word("misfit", "Poisson deviance", "Distance between expected and counted, a cell and step. Lower is better.")  # fmt: skip
OF_BEST = Word("of the best choice", "PEI", "Hits over those of the best possible choice of as many cells. 1 is perfect.")  # fmt: skip
FORECASTS = {
    "persistence": Word("the step before", "persistence", "What happened in the step before happens again."),
    "mean": Word("long-run mean", "mean", "Each cell's mean of all its past."),
    "seasonal_mean": Word("mean by season", "seasonal mean", "The long-run mean times the weekday's and the season's share."),
    "decayed_mean": Word("recent mean", "decayed mean", "A mean that forgets, with a half-life that it finds by itself."),
    "kde": Word("hot spots", "kernel density (KDE)", "The past spread over its neighbourhood, nearer times counting more."),
    "kde_season": Word("hot spots by season", "kernel density (KDE) times the season", "Hot spots times the season's share."),
    "hawkes": Word("near repeats", "self-exciting (Hawkes) process", "A steady background, and events that bring others near."),
    "fourier_cox": Word("smooth field", "Cox process with random Fourier features", "A smooth field of place and time; it won a US forecasting challenge."),
    "glm": Word("regression", "generalised linear model (GLM)", "A regression on each cell's recent and long past and the calendar."),
    "boosting": Word("boosted trees", "gradient boosting (LightGBM)", "Trees on each cell's past at many spans, each mending those before."),
    "memory_mixture": Word("weighted pasts", "mixture of memories", "Pasts of several spans and spreads, weighted, times how busy the whole city is."),
    TRUTH: Word("the true rates", "truth", "What the simulated city was made with: nobody can do better."),
}  # fmt: skip


def forecast_title(name: str) -> str:
    """What a forecast is called: a baseline's plain name, a run's own.

    >>> forecast_title("kde_season"), forecast_title("glm@3"), forecast_title("stack-1")
    ('hot spots by season', 'regression, 3 steps ahead', 'stack-1')
    """
    if "+" in name:
        return "average of " + ", ".join(name.split("+"))
    plain, ahead = at_horizon(name)
    known = FORECASTS.get(plain)
    further = f", {ahead} steps ahead" if (ahead or 1) > 1 else ""
    return f"{known.plain if known else plain}{further}"


_PAST = re.compile(
    r"(?P<kind>memory|past|surprise)(?:_(?P<of>weekday|hour|season|first))?_(?P<days>[\d.e+]+)d(?:_blur(?P<blur>[\d.]+))?(?P<type> .+)?"
)
_LAG = re.compile(r"lag (\d+)( .+)?")
_OF = {
    "weekday": " on such weekdays", "hour": " at such hours", "season": " in such seasons",
    "first": " on firsts of the month",
}  # fmt: skip
_WAVE = re.compile(r"(row|column)_(sin|cos)_(\d+)")
_OTHERS = {
    "offset": "what the forecast starts from", "level": "how busy the whole city is",
    "horizon": "how many steps ahead", "age": "how far records go back",
}  # fmt: skip


def input_title(name: str, cell: float | None = None) -> str:
    """What an input is called, a type behind it; a spread in metres where the `cell`'s size is given.

    >>> input_title("memory_1000d_blur1.5", 500), input_title("surprise_weekday_28d Theft")
    ('own past, 1,000 days, spread 750 m', 'surprise on such weekdays, 28 days, Theft')
    >>> input_title("lag 1"), input_title("lag 7 Theft")
    ('counts 1 step before', 'counts 7 steps before, Theft')
    >>> input_title("column_sin_2"), input_title("level"), input_title("schools")
    ('position, west to east, wave 2 (sine)', 'how busy the whole city is', 'schools')
    """
    if (lag := _LAG.fullmatch(name)) is not None:
        return f"counts {lag[1]} step{'s' * (lag[1] != '1')} before{_type(lag[2])}"
    if (found := _PAST.fullmatch(name)) is not None:
        kind = "surprise" if found["kind"] == "surprise" else "own past"
        blur = float(found["blur"] or 0)
        width = f"{blur * cell:,.0f} m" if cell else f"{blur:g} cells"
        spread = f", spread {width}" if blur else ""
        past = f"{kind}{_OF.get(found['of'], '')}, {float(found['days']):,g} days{spread}"
        return past + _type(found["type"])
    if (wave := _WAVE.fullmatch(name)) is not None:
        way = "south to north" if wave[1] == "row" else "west to east"
        return f"position, {way}, wave {wave[3]} ({'sine' if wave[2] == 'sin' else 'cosine'})"
    plain, _, kind = name.partition(" ")
    return _OTHERS[plain] + _type(kind) if plain in _OTHERS else name


def _type(kind: str | None) -> str:
    return f", {kind.strip()}" if kind else ""
