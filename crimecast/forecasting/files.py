"""Forecasts as files for others: NetCDF, Parquet, GeoJSON and GeoTIFF."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.grids.cube import Cube
from crimecast.grids.grid import open_grid
from crimecast.storage.store import replacing

SUFFIXES = (".nc", ".parquet", ".geojson", ".tif")


def as_dataset(name: str, cube: Cube, first: int, last: int, made: np.ndarray) -> xr.Dataset:
    """A forecast with the names of its axes, the study area and the attributes of the grid."""
    attributes = {k: v for k, v in open_grid(cube.grid).attrs.items() if k != "provenance"}
    return xr.Dataset(
        {
            "rate": (
                ("time", "type", "y", "x"),
                made,
                {"units": "expected events per cell and step"},
            ),
            "area": (("y", "x"), cube.area(first)),
        },
        coords={"time": cube.times[first:last], "type": list(cube.types), "y": cube.y, "x": cube.x},
        attrs={**attributes, "forecast": name},
    )


def save_forecast(
    path: Path, name: str, cube: Cube, first: int, last: int, made: np.ndarray
) -> None:
    """Write a forecast as NetCDF, Parquet (a row a cell, step and type), GeoJSON (a feature a cell) or
    GeoTIFF (a band a step and type). Raises UserError for another suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"A forecast can be written as {', '.join(SUFFIXES)}, not as '{suffix}'.")
    dataset = as_dataset(name, cube, first, last, made)
    with replacing(path) as temporary:
        if suffix == ".nc":
            dataset.to_netcdf(temporary, engine="scipy")
        elif suffix == ".parquet":
            frame = dataset["rate"].where(dataset["area"]).to_dataframe().dropna().reset_index()
            frame.to_parquet(temporary, index=False)
        elif suffix == ".tif":
            _geotiff(dataset, cube, temporary)
        else:
            temporary.write_text(json.dumps(_geojson(dataset, cube)), encoding="utf-8")


def _geojson(dataset: xr.Dataset, cube: Cube) -> dict[str, Any]:
    """Each cell of the study area as a square in longitude and latitude, its rates by type and step."""
    city = load_city(cube.city)
    half = cube.cell / 2
    features = []
    values = dataset["rate"].values
    steps = [str(moment)[:16] for moment in dataset["time"].values]
    for row, column in np.argwhere(dataset["area"].values):
        x, y = cube.x[column], cube.y[row]
        corners = [
            (x - half, y - half),
            (x + half, y - half),
            (x + half, y + half),
            (x - half, y + half),
        ]
        ring = [
            city.to_metres.transform(a, b, direction="INVERSE") for a, b in [*corners, corners[0]]
        ]
        rates_by_type = {
            kind: dict(zip(steps, values[:, index, row, column].round(6).tolist(), strict=True))
            for index, kind in enumerate(cube.types)
        }
        features.append(
            {
                "type": "Feature",
                "properties": {"x": x, "y": y, "rate": rates_by_type},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[round(a, 6), round(b, 6)] for a, b in ring]],
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _geotiff(dataset: xr.Dataset, cube: Cube, path: Path) -> None:
    """Bands in the city's own projection, north up, not-a-number outside the study area."""
    import rasterio

    values = dataset["rate"].where(dataset["area"]).values[..., ::-1, :].astype(np.float32)
    steps, kinds, height, width = values.shape
    corner = (cube.x[0] - cube.cell / 2, cube.y[-1] + cube.cell / 2)
    with rasterio.open(
        path, "w", driver="GTiff", count=steps * kinds, height=height, width=width, dtype="float32",
        crs=load_city(cube.city).crs, nodata=np.nan, compress="deflate",
        transform=rasterio.transform.from_origin(*corner, cube.cell, cube.cell),
    ) as file:  # fmt: skip
        file.write(values.reshape(-1, height, width))
        file.update_tags(forecast=dataset.attrs["forecast"], unit=dataset["rate"].attrs["units"])
        names = [
            f"{str(moment)[:16]} {kind}" for moment in dataset["time"].values for kind in cube.types
        ]
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)
