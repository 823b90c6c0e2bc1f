"""The model card: what a forecast is of, how it was judged, and what it must not be used for.

After Mitchell et al. (2019, FAT*): "Model cards for model reporting".
"""

from crimecast.cities import City
from crimecast.forecasting.forecasts import words
from crimecast.grids.cube import Cube
from crimecast.runs.run import Run

NOT_FOR = (
    "Saying anything about a person. It knows places and counts, and a busy cell says nothing of who is there.",
    "Justifying a stop, a search or an arrest. Nearly everyone in a cell with a high rate does nothing.",
    "Counting crime. Records show what was reported and recorded, which differs between places, groups and kinds of crime.",
    "Sending patrols by its own forecasts and then training on what they record: the forecast would feed on itself "
    "(Ensign et al. 2018). The Compare page simulates how far.",
    "Another city, a finer grid, another kind of event or a later year than it was judged on, without judging it there first.",
    "Cause and effect. It can't tell what a change of policing, building or law would do.",
)


def model_card(run: Run, cube: Cube, city: City, period: str) -> list[tuple[str, list[str]]]:
    """Sections of the card, each a heading and its sentences."""
    settings, design = run.settings, run.design
    unit = f"{cube.cell:g} m × {cube.cell:g} m and {cube.step}"
    learnt = settings.validate_until if settings.refit else settings.train_until
    facts = [
        f"A network ({design.name}, run {run.id}, seed {run.seed}) that forecasts the number of recorded events "
        f"({', '.join(cube.types)}) in each cell of {unit}, {words(design.horizons)} ahead.",
        f"{run.summary.get('parameters', 0):,} parameters; it sees {len(design.lags)} earlier steps, corrects the "
        f"offset '{design.offset}' and was trained with the {design.likelihood} likelihood.",
    ]
    data = [
        f"{city.title}: {cube.counts.sum():,.0f} events from {str(cube.times[0])[:10]} to {str(cube.times[-1])[:10]}. "
        + (
            "The city is simulated: nothing in it happened."
            if city.simulated
            else "From the city's published records."
        ),
        f"It learnt from steps before {learnt[:10]}; its scores are of {period}, which it has not seen.",
        "No column about victims or suspects was read or stored.",
    ]
    limits = [
        "Scores are means over the city; the Compare page shows where it forecasts too much or too little, by neighbourhood.",
        "Intervals are over weeks of one period in one city; they don't cover a change of recording or of the city itself.",
    ]
    return [
        ("What it is", facts),
        ("Data", data),
        ("It must not be used for", list(NOT_FOR)),
        ("Limits", limits),
    ]
