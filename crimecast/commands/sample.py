"""Make the sample city as it ships anew, from a clone: `python -m crimecast.commands.sample`.

Simulates the city, writes data/sample, trains the small run that ships with it, and so replaces
everything there.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyproj
import shapely.geometry

from crimecast.cities import load_city
from crimecast.cities.city import SHIPPED
from crimecast.designs.spec import load_design
from crimecast.grids.grid import make_grid
from crimecast.records.archive import merge
from crimecast.runs import queue
from crimecast.sample import SAMPLE
from crimecast.sample.simulate import simulate
from crimecast.storage.database import reading
from crimecast.storage.store import replacing, write_json

RUN_FILES = ("spec.toml", "metrics.jsonl", "progress.json", "network.safetensors")


def remake() -> None:
    """Simulate the city again and train its run; replaces what data/sample and the registry hold."""
    drawn = simulate()
    back = pyproj.Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    island = shapely.transform(drawn.outline, back.transform, interleaved=False)
    _write_outline(SHIPPED / "sample.geojson", island)
    with replacing(SAMPLE / "truth.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, rates=drawn.rates.astype(np.float16))
    with tempfile.TemporaryDirectory() as empty:
        os.environ["CRIMECAST_DATA"] = empty
        longitude, latitude = back.transform(
            drawn.events["x"].to_numpy(), drawn.events["y"].to_numpy()
        )
        events = drawn.events.select(
            "source_id", "time", "type",
            pl.Series("longitude", longitude.round(6)), pl.Series("latitude", latitude.round(6)),
            "x", "y", pl.lit(None, pl.String).alias("reason"),
        )  # fmt: skip
        merge(load_city("sample"), events, "simulated")
        with replacing(SAMPLE / "events") as temporary:
            shutil.copytree(
                Path(empty) / "cities/sample/events",
                temporary,
                ignore=shutil.ignore_patterns(".*"),
            )
        grid = make_grid("sample")["grid"]
        run = queue.wait(queue.submit(queue.Request(load_design("stack"), grid, seed=1)).id)
        if run.state != "done":
            raise RuntimeError(run.message)
        with replacing(SAMPLE / "run") as temporary:
            temporary.mkdir()
            for name in RUN_FILES:
                shutil.copy2(run.folder / name, temporary / name)
        with reading() as db:
            row = dict(db.execute("select * from runs where id = ?", (run.id,)).fetchone())
        row |= {"pid": None, "pid_started": None}
        write_json(SAMPLE / "run.json", row)


def _write_outline(path: Path, island: shapely.Polygon) -> None:
    """The island, and its four quarters as neighbourhoods."""
    x0, y0, x1, y1 = island.bounds
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
    quarters = {
        "Northwest": shapely.box(x0, ym, xm, y1), "Northeast": shapely.box(xm, ym, x1, y1),
        "Southwest": shapely.box(x0, y0, xm, ym), "Southeast": shapely.box(xm, y0, x1, ym),
    }  # fmt: skip
    shapes = [("outline", "Sample city", island)]
    shapes += [("neighbourhood", name, island.intersection(box)) for name, box in quarters.items()]
    features = [
        {
            "type": "Feature",
            "properties": {"kind": kind, "name": name},
            "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-5)),
        }
        for kind, name, shape in shapes
    ]
    document = {"type": "FeatureCollection", "source": "Simulated", "features": features}
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    remake()
