"""The places component: records as dots, on a canvas of our own."""

from pages.parts.component import component, keyed


def places(data: bytes, key: str) -> None:
    """Show a message of `plots.places`."""
    component("crimecast_places", "places.css", "canvas.js", "places.js")(data=data, key=keyed(key))
