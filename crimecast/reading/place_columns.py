"""Which columns of a file are the longitude and the latitude."""

import re

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.reading.columns import plain
from crimecast.reading.coordinates import numbers, point_form, points
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, every

SAMPLE = 400
APART = 0.003  # degrees from which on two places are others
# In the languages that cities publish in, as `plain` writes them.
EAST = re.compile(
    r"(^|_)(longitude|longitud|lon|lng|long|x|easting|east|este|xcoord\w*|utm_?e|utm_?x|e|coordx|coor\w*_x|laenge|lange|langengrad|laengengrad|"
    r"rechtswert|ostwert|lengtegraad|lengte|lengdegrad|lengde|laengdegrad|laengde|langd|langdgrad|longitudine|delka|dlzka|"
    r"d[lł]ugosc\w*|hosszusag|pituus\w*|boylam|kinh_[dđ]o)(_|\d|$)|longitud|долгот|довгот|קו_אורך|^[xe]_?(座標|坐標|坐标|좌표)|(座標|坐標|坐标|좌표)(정보)?_?x(_|$)|(^|_)ost(_|$)|経度|经度|經度|경도"
)
NORTH = re.compile(
    r"(^|_)(latitude|latitud|lat|y|northing|north|norte|ycoord\w*|utm_?n|utm_?y|n|coordy|coor\w*_y|breite|breitengrad|"
    r"hochwert|nordwert|breedtegraad|breedte|breddegrad|bredde|breddgrad|bredd|latitudine|sirka|"
    r"szerokosc\w*|szelesseg|leveys\w*|enlem|vi_[dđ]o)(_|\d|$)|latitud|широт|קו_רוחב|^[yn]_?(座標|坐標|坐标|좌표)|(座標|坐標|坐标|좌표)(정보)?_?y(_|$)|(^|_)nord(_|$)|緯度|纬度|위도"
)


HERE = re.compile(
    r"occ|incid|event|offen|crime|scene|hecho|fato|tatort|delit|start|begin|from|stolen|theft|einsatz|ereignis|unfall|accident|sinis|suceso|ocorr|faits"
)
ELSEWHERE = re.compile(
    r"report|home|resid|origin|station|precinct|centroid|center|old|approx|victim|suspect|offic|arrest|agency|hospital|cad|dispatch|"
    r"wache|firehouse|kaserne|caserne|cuartel|quartel|comisar|revier|dienststelle|commissariat|questura|delegacia|koban|交番|警察署|recover|found|(^|_)(end|to|dest\w*|drop\w*|arriv\w*)(_|$)"
)
# What places are given in, where it isn't WGS 84: its name in columns' names, and its EPSG number.
DATUMS = {
    4301: (r"日本測地系|tokyo_?datum|(^|_)tokyo\d*(_|$)|旧測地", "the old Tokyo datum"), 4230: (r"(^|_)ed_?50(_|$)", "ED50"),
    4277: (r"osgb_?36", "OSGB36"), 4267: (r"nad_?27", "NAD27"), 4284: (r"pulkovo|(^|_)s[ck]?_?42(_|$)|ск_?42", "Pulkovo 1942"),
    4314: (r"dhdn|potsdam", "DHDN"), 4312: (r"(^|_)mgi(_|$)", "MGI"), 4214: (r"beijing_?(19)?54", "Beijing 1954"),
    0: (r"gcj_?02|bd_?09|(^|_)(bd|baidu|gcj)(_|$)|baidu|火星", "shifted Chinese coordinates"),
}  # fmt: skip
PATTERNS = {"longitude": EAST, "latitude": NORTH}
# What says the one even where the other's x or y stands behind it, as two tables that were joined have it (lat_x).
SAID = {
    "longitude": re.compile(r"(^|_)(lon|lng|long|longitude)(_|$)"),
    "latitude": re.compile(r"(^|_)(lat|latitude)(_|$)"),
}


def place_names(table: Rows, field: str) -> list[str]:
    """Columns whose names say that they hold longitudes, or latitudes."""
    other = SAID["latitude" if field == "longitude" else "longitude"]
    return [
        name for name in table.columns
        if PATTERNS[field].search(plain(name)) and (not other.search(plain(name)) or SAID[field].search(plain(name)))
    ]  # fmt: skip


def spread(table: Rows, columns: list[str]) -> pl.DataFrame:
    """Rows from all over the file in which the first of the columns isn't empty."""
    there = table.select(list(dict.fromkeys(columns))).map(
        lambda part: part.filter(pl.col(columns[0]).is_not_null())
    )
    step = max(1, sum(part.height for part in there) // SAMPLE)
    return every(there, step, SAMPLE + 1)


def place_columns(
    table: Rows, options: dict[str, list[list[str]]], found: dict[str, list[str]], city: City
) -> dict[str, list[str]]:
    """The columns of longitude and latitude, as far as they can be told: by names, by a column that holds
    points, by the values. `options`: columns that names propose for each field."""
    place: dict[str, list[str]] = {}
    for field in PATTERNS:
        named = [option[0] for option in options[field]]
        named += [name for name in place_names(table, field) if name not in named]
        if field in found:
            continue
        named = list(dict.fromkeys(named))
        # Where it happened before where it was reported; what is in an old datum last; of degrees and metres in one file the degrees need
        # no coordinate system.
        named.sort(
            key=lambda name: (
                bool(ELSEWHERE.search(plain(name))),
                any(re.search(pattern, plain(name)) for pattern, _ in DATUMS.values()),
                not HERE.search(plain(name)),
                not re.search(
                    r"lon|lat|lng|breite|l[aä]+nge|долг|широ|経|緯|经|纬|경도|위도", plain(name)
                ),
            )
        )
        good = next((name for name in named if numeric(table, name) > 0.3), None)
        if good:
            place[field] = [good, *_finer(table, good)]
    if len(place) + sum(field in found for field in ("longitude", "latitude")) == 2:
        return place
    ranked = sorted(
        table.columns,
        key=lambda name: not re.search(r"point|loc|geo|coord|geom|place|shape|wkt", plain(name)),
    )
    for name in ranked:
        if table.schema[name] == pl.String and point_form(table.column(name)):
            return {"longitude": [name], "latitude": [name]}
    guessed = {field: options[field][0] for field in ("longitude", "latitude") if options[field]}
    known = {**guessed, **place, **found}
    sides: dict[str, str] = {
        field: known[field][0] for field in ("longitude", "latitude") if field in known
    }
    return _by_values(table, sides, city) or {**guessed, **place}


def doubts(table: Rows, place: dict[str, list[str]]) -> list[Notice]:
    """Says which other columns could be the place as well, and which datum the names say."""
    notices = []
    used = {field: parts[0] for field, parts in place.items()}
    if len(set(used.values())) == 2:
        others = [one for field, name in used.items() for one in _rivals(table, field, name, place)]
        if len(others) > 1:
            says = (
                f"The place is taken from {' and '.join(map(repr, used.values()))}; {', '.join(map(repr, others))} could be it as well, "
                "and mostly say another place."
            )
            notices.append(Notice("place_column", says, table.height))
        elif text := _other_points(table, used):
            says = (
                f"The place is taken from {' and '.join(map(repr, used.values()))}; '{text}' holds places too, and mostly others: "
                "choose it instead if it is the one that is meant."
            )
            notices.append(Notice("place_column", says, table.height))
    names = list(dict.fromkeys(name for parts in place.values() for name in parts))
    for number, (pattern, datum) in DATUMS.items():
        if any(re.search(pattern, plain(name)) for name in names):
            how = f"Give the coordinate system EPSG:{number} to have them put right." if number else "Bring them in as WGS 84."  # fmt: skip
            says = f"The names of {' and '.join(map(repr, names))} say that places are in {datum}, and they are read as WGS 84: they may be up to some hundred metres aside. {how}"
            notices.append(Notice("datum", says, table.height))
    return notices


def _other_points(table: Rows, used: dict[str, str]) -> str | None:
    """A column of whole places as text, in degrees, that mostly lie elsewhere than the columns of degrees say."""
    for name in table.columns:
        if (
            name in used.values()
            or table.schema[name] != pl.String
            or ELSEWHERE.search(plain(name))
        ):
            continue
        form = point_form(table.column(name))
        if form is None:
            continue
        both = spread(table, [name, *used.values()])
        one, other = points(both[name], form)
        if form == "pair":
            one, other = other, one
        x, y = (numbers(Parts.one(both[used[field]])).first for field in ("longitude", "latitude"))
        with np.errstate(invalid="ignore"):
            degrees = (np.abs(one) <= 180) & (np.abs(x) <= 180) & (x != 0) & (one != 0)
            near = (np.abs(one - x) < APART) & (np.abs(other - y) < APART)
            turned = (np.abs(other - x) < APART) & (np.abs(one - y) < APART)
        if degrees.sum() >= 20 and (near | turned)[degrees].mean() < 0.5:
            return name
    return None


def _rivals(table: Rows, field: str, used: str, place: dict[str, list[str]]) -> list[str]:
    """Columns of the same sort of numbers that mostly say something else, by their names not where something
    else happened."""
    taken = {name for parts in place.values() for name in parts}
    found = []
    for name in place_names(table, field):
        if name in taken or ELSEWHERE.search(plain(name)) or numeric(table, name) < 0.8:
            continue
        both = spread(table, [used, name])
        one, other = (numbers(Parts.one(both[column])).first for column in (used, name))
        size = max(float(np.nanmedian(np.abs(one))), 1e-9)
        alike = 0.5 < float(np.nanmedian(np.abs(other))) / size < 2
        if alike and float(np.nanmean(np.abs(one - other) > 1e-5 * size)) > 0.5:
            found.append(name)
    return found


def _finer(table: Rows, degrees: str) -> list[str]:
    """The columns of minutes and seconds beside one of whole degrees."""
    word = plain(degrees)
    base = re.sub(r"_?(deg\w*|grad\w*|g|d)$", "", word)
    if base == word:
        return []
    names = {plain(name): name for name in table.columns}
    found = []
    for pattern in (r"_?(min\w*|m)", r"_?(sec\w*|seg\w*|sek\w*|s)"):
        match = next(
            (n for w, n in names.items() if re.fullmatch(re.escape(base) + pattern, w)), None
        )
        if match is None:
            break
        found.append(match)
    return found


def numeric(table: Rows, name: str) -> float:
    """The share of a column that can be read as coordinates."""
    sample = spread(table, [name])[name]
    return float(np.isfinite(numbers(Parts.one(sample)).first).mean()) if len(sample) else 0.0


def _by_values(table: Rows, named: dict[str, str], city: City) -> dict[str, list[str]]:
    """The only two columns of fractions that can be degrees: one that is named leaves the other; else the
    one beyond 90 is the longitude; else the one with which the places lie in the city. Where nothing
    tells, nothing is guessed."""
    found: list[tuple[str, np.ndarray]] = []
    for name in table.columns:
        sample = spread(table, [name])[name]
        if sample.is_empty() or sample.dtype.is_temporal():
            continue
        values = numbers(Parts.one(sample)).first
        values = values[np.isfinite(values) & (values != 0)]
        if values.size < 0.5 * len(sample) or np.abs(values).max() > 180:
            continue
        fine = np.mean(np.abs(values * 100 - np.round(values * 100)) > 1e-6)
        if fine > 0.7 and np.ptp(np.quantile(values, [0.05, 0.95])) < 10:
            found.append((name, values))
    if len(found) != 2:
        return {}
    (one, first), (other, second) = found
    for east, north in ((one, other), (other, one)):
        if named.get("longitude") == east or named.get("latitude") == north:
            return {"longitude": [east], "latitude": [north]}
    middles = float(np.median(first)), float(np.median(second))
    if max(map(abs, middles)) > 90:
        east, north = (one, other) if abs(middles[0]) > 90 else (other, one)
        return {"longitude": [east], "latitude": [north]}
    if (bounds := city.extent()) is None:
        return {}
    within = [
        all(
            low - size <= at <= high + size
            for at, low, high, size in zip(at, bounds[:2], bounds[2:], sizes, strict=True)
        )
        for at in (city.to_metres.transform(*middles), city.to_metres.transform(*middles[::-1]))
        for sizes in [(bounds[2] - bounds[0], bounds[3] - bounds[1])]
    ]
    if sum(within) != 1:
        return {}
    east, north = (one, other) if within[0] else (other, one)
    return {"longitude": [east], "latitude": [north]}
