"""Two steps of a forecast beside one another: expected or recorded, and the second minus the first."""

from crimecast.cities import City
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.plots.scale import top_of
from crimecast.views.forecast import ForecastView
from crimecast.views.ground import ground

SAYS = ("expected", "recorded")


def two_days(view: ForecastView, city: City, one: int, two: int, what: str) -> bytes:
    """The maps of two steps, for the browser; `what` is one of SAYS."""
    values = view.forecast if what == SAYS[0] else view.observed
    first, second = values[one - view.first], values[two - view.first]
    difference = second.astype(float) - first
    top = max(top_of(both[view.area], least=0.05) for both in (first, second))
    peak = max(float(first.max()), float(second.max()), top)
    reach = top_of(abs(difference[view.area]), 0.995, 0.01)
    titles = [f"{what.capitalize()}, {view.label(step)}" for step in (one, two)]
    unit = view.cube.unit
    panels = [
        Panel(title, unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate")
        for title in titles
    ]
    panels.append(
        Panel(
            "Second minus first",
            "diverging",
            f"{unit}: orange is more on the second day",
            low=-reach,
            high=reach,
            size=2,
        )
    )
    scene = Scene(
        identity=f"two-{view.identity}-{one}-{two}-{what}",
        ground=ground(city, view.cube),
        panels=panels,
        about=f"{city.title} · {view.whose}",
        alt="; ".join(titles),
    )
    return message(scene, view.area, {0: [first, second, difference]}, 0, first=0)
