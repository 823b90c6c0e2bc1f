"""A city's records as dots on street maps of a tile server, where its owner and its user ask for them."""

import json
import os
from urllib.parse import quote, urlsplit

import numpy as np
import polars as pl
import pydeck
from shapely.geometry import mapping

from crimecast.cities import City

HEIGHT = 520  # pixels


def tile_server() -> tuple[str, str] | None:
    """The address of street map tiles that the server's owner named in CRIMECAST_TILES, as
    `https://…/{z}/{x}/{y}.png`, and the host that would be asked; None if none is named."""
    address = os.environ.get("CRIMECAST_TILES", "")
    host = urlsplit(address).hostname
    return (address, host) if host and "{z}" in address else None


def street_map(city: City, places: pl.DataFrame, dark: bool, tiles: str) -> pydeck.Deck:
    """`places` has longitude, latitude, type and time; the outline and neighbourhoods lie below, and
    `tiles`, the address of a picture as `https://…/{z}/{x}/{y}.png`, below them."""
    ink = [235, 235, 240] if dark else [40, 44, 60]
    layers = [
        pydeck.Layer(
            "GeoJsonLayer",
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "properties": {}, "geometry": mapping(shape)}
                    for kind, _, shape in city.features
                    if kind == wanted
                ],
            },
            id=wanted,
            stroked=True,
            filled=wanted == "outline",
            get_fill_color=[*ink, 14],
            get_line_color=[*ink, alpha],
            line_width_min_pixels=width,
        )
        for wanted, alpha, width in (("outline", 190, 1.4), ("neighbourhood", 60, 0.6))
        if city.features
    ]
    layers.append(
        pydeck.Layer(
            "ScatterplotLayer",
            places.to_pandas(),
            id="records",
            get_position=["longitude", "latitude"],
            get_fill_color=[240, 150, 79, 110] if dark else [184, 68, 111, 90],
            radius_min_pixels=1.6,
            get_radius=25,
            pickable=True,
        )
    )
    longitude, latitude = places["longitude"].to_numpy(), places["latitude"].to_numpy()
    west, east = np.quantile(longitude, [0.005, 0.995])
    south, north = np.quantile(latitude, [0.005, 0.995])
    # deck.gl shows 360° of longitude on 512 pixels at zoom 0; latitude is stretched by 1/cos.
    stretch = np.cos(np.radians(latitude.mean()))
    fits = [
        np.log2(360 * pixels / (512 * max(span, 1e-3)))
        for pixels, span in ((340, east - west), (HEIGHT * stretch, north - south))
    ]
    view = pydeck.ViewState(
        longitude=float((west + east) / 2),
        latitude=float((south + north) / 2),
        zoom=float(min(fits) - 0.15),
    )
    style = {
        "version": 8,
        "sources": {"streets": {"type": "raster", "tiles": [tiles], "tileSize": 256}},
        "layers": [{"id": "streets", "type": "raster", "source": "streets"}],
    }
    return pydeck.Deck(
        layers=layers,
        initial_view_state=view,
        map_provider="maplibre",
        # Without a style of its own the browser would fetch one from outside.
        map_style=f"data:application/json,{quote(json.dumps(style))}",
        tooltip={"text": "{type}\n{time}"},
    )
