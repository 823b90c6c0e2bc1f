"""Forecasts as files for others: NetCDF, Parquet, GeoJSON and GeoTIFF."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.forecasting.places import called, names, polygons
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
        coords={
            "time": cube.times[first:last], "type": list(cube.types), "y": cube.y, "x": cube.x,
            **called(cube),
        },
        attrs={**attributes, "forecast": name},
    )  # fmt: skip


def save_forecast(
    path: Path, name: str, cube: Cube, first: int, last: int, made: np.ndarray
) -> None:
    """Write a forecast as NetCDF, Parquet (a row a cell, step and type), GeoJSON (a feature a cell) or
    GeoTIFF (a band a step and type). Raises UserError for another suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"A forecast can be written as {', '.join(SUFFIXES)}, not as '{suffix}'.")
    if suffix == ".tif" and cube.areas is not None:
        raise UserError(
            "A GeoTIFF has cells, and these counts are of areas: write .geojson instead."
        )
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
    """Each cell of the study area as a square, or the area it stands for, its rates by type and step."""
    values = dataset["rate"].values
    steps = [str(moment)[:16] for moment in dataset["time"].values]
    rows, columns = np.nonzero(dataset["area"].values)
    areas = names(cube, rows, columns)
    shapes = polygons(cube, load_city(cube.city), rows, columns)
    features = []
    for number, (row, column) in enumerate(zip(rows, columns, strict=True)):
        place = {"area": areas[number]} if areas else {"x": cube.x[column], "y": cube.y[row]}
        rates_by_type = {
            kind: dict(zip(steps, values[:, index, row, column].round(6).tolist(), strict=True))
            for index, kind in enumerate(cube.types)
        }
        features.append(
            {
                "type": "Feature",
                "properties": {**place, "rate": rates_by_type},
                "geometry": shapes[number],
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
