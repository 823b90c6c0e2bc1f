"""Counts by area: nothing is lost on the way to tiles and back to shapes, and tiles lie near their areas."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.geometry
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from crimecast.cities import load_city
from crimecast.errors import UserError
from crimecast.forecasting.files import save_forecast
from crimecast.forecasting.forecasts import rates
from crimecast.grids.areas import areas_of, lay_out, on_tiles
from crimecast.grids.bringing import import_cube
from crimecast.grids.cube import load_cube
from crimecast.grids.tensor_axes import Wanted
from crimecast.views.ground import ground


def boxes(count: int, seed: int) -> list[shapely.Geometry]:
    """Areas of many sizes, some far smaller than a cell of the picture, none over another."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(400)[:count]
    made = []
    for place in places:
        x, y = 1000.0 * (place % 20), 1000.0 * (place // 20)
        made.append(shapely.box(x, y, x + rng.choice([1, 300, 999]), y + rng.choice([1, 300, 999])))
    return made


@pytest.mark.long
@given(count=st.integers(1, 60), seed=st.integers(0, 10**6))
def test_each_area_has_a_tile_and_is_seen(count: int, seed: int) -> None:
    areas, (_, _, side) = lay_out([f"{i}" for i in range(count)], boxes(count, seed))
    assert len({tuple(tile) for tile in areas.tiles.tolist()}) == count
    assert areas.tiles.min() == 0
    assert side > 0
    values = np.random.default_rng(seed).integers(0, 9, (2, count))
    tiled = on_tiles(values, areas)
    assert tiled.sum() == values.sum()
    assert (tiled[:, areas.tiles[:, 0], areas.tiles[:, 1]] == values).all()
    assert areas.picture is not None
    shown = {tuple(tile) for tile in areas.picture.tiles.reshape(-1, 2).tolist()} - {(-1, -1)}
    assert shown == {tuple(tile) for tile in areas.tiles.tolist()}
    assert areas.numbers(*areas.tiles.T) == list(range(count))


def test_areas_that_are_a_grid_already_keep_their_places() -> None:
    places = list(itertools.product(range(5), range(4)))
    shapes = [shapely.box(100 * c, 100 * r, 100 * c + 100, 100 * r + 100) for r, c in places]
    order = np.random.default_rng(1).permutation(len(places))
    areas, (_, _, side) = lay_out([f"{i}" for i in order], [shapes[i] for i in order])
    assert side == 100
    assert areas.picture is not None
    tiles = {int(name): tile for name, tile in zip(areas.names, areas.tiles.tolist(), strict=True)}
    # Beside one another before and after: the same order along both axes.
    for (one, a), (other, b) in itertools.combinations(enumerate(places), 2):
        for axis in (0, 1):
            before, after = a[axis] - b[axis], tiles[one][axis] - tiles[other][axis]
            assert before * after >= 0


@pytest.fixture
def town(data: Path, tmp_path: Path) -> tuple[Path, Path, list[str], np.ndarray]:
    """A file of counts of twelve areas, and one of where they lie, in another order and more of them."""
    names = [f"Ward {i}" for i in range(12)]
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(2.0, 1.0, 12), (90, 2, 12))
    times = np.datetime64("2021-03-01", "ns") + np.arange(90) * np.timedelta64(1, "D")
    where = {"day": times, "kind": ["Theft", "Fire"], "ward": names}
    xr.Dataset({"counts": (("day", "kind", "ward"), counts)}, where).to_netcdf(tmp_path / "a.nc")
    features = [
        {
            "type": "Feature", "properties": {"id": i, "label": f" ward  {i} "},
            "geometry": shapely.geometry.mapping(
                shapely.box(9 + 0.01 * (i % 4), 53 + 0.01 * (i // 4), 9.01 + 0.01 * (i % 4), 53.01 + 0.01 * (i // 4))
            ),
        }
        for i in rng.permutation(16)
    ]  # fmt: skip
    shapes = tmp_path / "wards.geojson"
    shapes.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, default=int),
        encoding="utf-8",
    )
    return tmp_path / "a.nc", shapes, names, counts


def test_counts_by_area_come_in_and_go_out_by_name(
    town: tuple[Path, Path, list[str], np.ndarray], tmp_path: Path
) -> None:
    file, shapes, names, counts = town
    made = import_cube("wards", file, "time,type,area", None, Wanted(areas=shapes))
    cube = load_cube(made["grid"])
    assert made["areas"] == made["cells"] == 12
    assert load_city("wards").crs == "EPSG:32632"
    assert cube.areas is not None
    assert cube.areas.names == tuple(names)
    assert (cube.counts[..., cube.areas.tiles[:, 0], cube.areas.tiles[:, 1]] == counts).all()
    assert cube.area(50).sum() == 12
    assert cube.counts.sum() == counts.sum()
    rate = rates("mean", cube, 80, 82)
    save_forecast(tmp_path / "f.geojson", "mean", cube, 80, 82, rate)
    known = {f["properties"]["label"].split()[1]: f for f in json.loads(shapes.read_text())["features"]}  # fmt: skip
    for feature in json.loads((tmp_path / "f.geojson").read_text())["features"]:
        number = feature["properties"]["area"].split()[1]
        one, other = (shapely.geometry.shape(f["geometry"]) for f in (feature, known[number]))
        assert one.symmetric_difference(other).area < 1e-4 * other.area
        told = feature["properties"]["rate"]["fire"]["2021-05-20T00:00"]
        assert told == pytest.approx(counts[:80, 1, int(number)].mean(), rel=1e-4)
    with pytest.raises(UserError, match="GeoTIFF has cells"):
        save_forecast(tmp_path / "f.tif", "mean", cube, 80, 82, rate)
    drawn = ground(load_city("wards"), cube)
    assert drawn.tiles is not None
    picture = drawn.drawn(cube.counts[5, 0])
    assert set(np.unique(picture)) - {0} == set(np.unique(counts[5, 0])) - {0}


def test_without_places_areas_stand_row_by_row(town: tuple[Path, Path, list[str], np.ndarray]) -> None:  # fmt: skip
    file, _, names, counts = town
    made = import_cube("wards", file, "time,type,area", None, Wanted(types="a,b"))
    assert made["shape"] == [90, 2, 3, 4]
    cube, areas = load_cube(made["grid"]), areas_of(made["grid"])
    assert areas is not None
    assert areas.picture is None
    assert (cube.counts[:, :, 0, 2], areas.name(0, 2)) == (pytest.approx(counts[:, :, 2]), names[2])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"type": "FeatureCollection", "features": []}', "holds no area"),
        ("[1, 2]", "is no GeoJSON of areas"),
        ('{"features": [{"properties": {"n": "Ward 1"}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}}]}', "n lacks ward 0, ward 2"),
        ('{"features": [{"properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1e5,0],[1,1e5],[0,0]]]}}]}', "aren't in longitude and latitude"),
        ('{"features": [{"geometry": {"type": "Polygon", "coordinates": "x"}}]}', "Feature 1 of other.geojson"),
    ],
)  # fmt: skip
def test_places_that_say_nothing_of_the_areas_are_refused(
    town: tuple[Path, Path, list[str], np.ndarray], tmp_path: Path, content: str, text: str
) -> None:
    (tmp_path / "other.geojson").write_text(content)
    with pytest.raises(UserError, match=text):
        import_cube("wards", town[0], "time,type,area", None, Wanted(areas=tmp_path / "other.geojson"))  # fmt: skip
    with pytest.raises(UserError, match="wards"):
        load_city("wards")


def test_two_properties_with_all_names_for_other_shapes_are_refused(
    town: tuple[Path, Path, list[str], np.ndarray],
) -> None:
    file, shapes, _, _ = town
    document = json.loads(shapes.read_text())
    for i, feature in enumerate(document["features"]):
        feature["properties"]["other"] = f"Ward {i}"
    shapes.write_text(json.dumps(document))
    with pytest.raises(UserError, match="Both 'label' and 'other' of"):
        import_cube("wards", file, "time,type,area", None, Wanted(areas=shapes))


def test_an_area_or_a_type_that_is_the_sum_of_all_others_is_refused(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(2.0, (60, 3, 5))
    for axis, word in ((1, "type"), (2, "area")):
        whole = np.concatenate([counts, counts.sum(axis, keepdims=True)], axis)
        np.savez(tmp_path / "a.npz", counts=whole)
        wanted = Wanted(since="2021-03-01", zone="Europe/Berlin")
        with pytest.raises(
            UserError, match=f"The {word} '{word} {whole.shape[axis]}' holds the sum"
        ):
            import_cube("sums", tmp_path / "a.npz", "time,type,area", None, wanted)


@pytest.mark.parametrize("zone", ["Europe/Berlin", None])
def test_areas_with_latitude_first_are_refused(
    town: tuple[Path, Path, list[str], np.ndarray], zone: str | None
) -> None:
    file, shapes, _, _ = town
    document = json.loads(shapes.read_text(encoding="utf-8"))
    for number, feature in enumerate(document["features"]):
        shape = shapely.geometry.shape(feature["geometry"])
        shape = shapely.transform(shape, lambda xy: [[-87.6, 41.8]] + (xy - [[9, 53]]))
        turned = shapely.transform(shape, lambda xy: xy[:, ::-1])
        document["features"][number]["geometry"] = shapely.geometry.mapping(turned)
    shapes.write_text(json.dumps(document), encoding="utf-8")
    wanted = Wanted(areas=shapes, zone=zone and "America/Chicago")
    with pytest.raises(UserError, match="longitude first"):
        import_cube("wards", file, "time,type,area", None, wanted)
