"""The steps to come as one page of HTML that can be printed."""

from html import escape

from crimecast.reporting.page import figure, page, table
from crimecast.reporting.pictures import legend, picture
from crimecast.views.ground import ground
from crimecast.views.tomorrow import NOTICE, TomorrowView


def printable(view: TomorrowView, kind: int) -> str:
    """One page of HTML that can be printed: the next steps' totals, the map, the ten places."""
    made, city = view.made, view.city
    totals = []
    for step in range(len(made.times)):
        expected, low, high = made.total(step, kind)
        totals.append([view.label(step), f"{expected:,.1f}", f"{low:,} to {high:,}"])
    rate = made.rate[0, kind]
    shown = view.places(0, kind)
    rows = [
        [
            str(one["place"]), f"{one['expected']:.2f}", str(one["95 %"]),
            f"{one['usual']:.2f}", str(one["why"]),
        ]
        for one in shown.to_dict("records")
    ]  # fmt: skip
    parts = [
        f"<h1>{escape(city.title)}: {escape(view.label(0))}</h1>",
        f"<p class='soft'>{escape(made.kinds[kind])}, forecast by {escape(made.name)} from what was known until "
        f"{escape(made.cube.label(made.origin - 1))}.</p>",
        *(f"<p>{escape(note)}</p>" for note in made.notices),
        "<div class='maps'>",
        figure(
            picture(
                rate,
                made.area,
                "sequential",
                0.0,
                float(rate.max()),
                ground(city, view.cube, False),
            ),
            f"Expected events, at most {rate.max():.2f}",
            legend(
                "sequential",
                0.0,
                float(rate.max()),
                view.cube.unit,
            ),
        ),
        "</div><h2>The city</h2>",
        table(["", "expected", "95 % between"], totals),
        "<h2>Ten places to look at</h2>",
        table(["place", "expected", "95 % between", "usual", "why"], rows),
        f"<h2>What it must not be used for</h2><p>{escape(NOTICE)}</p>",
    ]
    return page(f"{city.title}, {view.label(0)}", parts)
