"""Two columns, or one of points → longitude and latitude; what stands for *no place* found by geometry.

Exchanged axes, a lost sign and metres in place of degrees are noticed since they put the city where
its clocks don't show its time.
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
import tzfpy

from crimecast import Doubt, UserError
from crimecast.cities import City
from crimecast.cities.city import check_crs
from crimecast.reading.columns import plain
from crimecast.reading.coordinates import (
    from_packed,
    from_packed_in_full,
    from_packed_seconds,
    from_sexagesimal,
    numbers,
    packed,
    packed_in_full,
    packed_seconds,
    point_form,
    points,
    sexagesimal,
)
from crimecast.reading.crs import propose_crs
from crimecast.reading.metres import metres
from crimecast.reading.mixed_axes import brought_home, home_of, known_home, ways
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, rows_of
from crimecast.reading.thinning import both_known, finite, thinned
from crimecast.reading.zones import agrees, near_zone, zone_of

GRADIANS = r"(^|_)(gon|gons|grads|grade|grades|gradian|gradians)(_|$)"


@dataclass(frozen=True)
class Places:
    """`parts`: (2, N) degrees, longitude and latitude, NaN where there is no place; how they were read and
    what is doubtful."""

    parts: Parts[np.ndarray]
    says: str
    notices: tuple[Notice, ...] = ()

    @property
    def longitude(self) -> np.ndarray:
        """(N,) of places in memory."""
        return self.parts.first[0]

    @property
    def latitude(self) -> np.ndarray:
        """(N,) of places in memory."""
        return self.parts.first[1]


def read_places(
    table: pl.DataFrame | Rows, columns: dict[str, list[str]], city: City, is_new: bool = False
) -> Places:
    """The places of a file's rows. Raises Doubt where they need a CRS, or lie nowhere that makes sense."""
    if all(re.search(GRADIANS, plain(columns[field][0])) for field in ("longitude", "latitude")):
        raise UserError(
            f"'{columns['longitude'][0]}' and '{columns['latitude'][0]}' are named for gradians, 400 to the circle: multiply them by 0.9 and "
            "call them longitude and latitude."
        )
    if all(
        re.search(r"(^|_)(km|kilomet\w+)$", plain(columns[f][0])) for f in ("longitude", "latitude")
    ):
        raise UserError(
            f"'{columns['longitude'][0]}' and '{columns['latitude'][0]}' are named for kilometres: multiply them by 1,000, and give the coordinate "
            "system of the metres."
        )
    given, form = _numbers(rows_of(table), columns)
    signs = [
        -1.0 if re.search(pattern, plain(columns[field][0])) else 1.0
        for field, pattern in (
            ("longitude", r"_(w|west|oeste)$"),
            ("latitude", r"_(s|south|sur|sul)$"),
        )
    ]
    if min(signs) < 0 and form == "columns":  # a name that says on which side of the earth they are
        given = given.map(
            lambda part: part * np.where((part > 0).mean(axis=1) > 0.5, signs, 1.0)[:, None]
        ).kept()
    crs = check_crs(city.file_crs or "EPSG:4326")
    if crs.is_geographic:
        found, says, notices = _degrees(given, form, city, is_new)
    else:
        found, says, notices = metres(given, crs, city, _says_axis(columns))
    return Places(found.map(_on_the_map).kept(), says, tuple(notices))


def _says_axis(columns: dict[str, list[str]]) -> bool:
    """Whether the columns' names say which of them goes east, as x and y don't everywhere."""
    return bool(
        re.search(
            r"east|ost(_|$)|rechts|hochwert|north|nord|lon|lat|este$",
            plain(columns["longitude"][0]),
        )
    )


def _on_the_map(degrees: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        there = (np.abs(degrees[0]) <= 180) & (np.abs(degrees[1]) < 90)
    return np.where(there, degrees, np.nan)


def _numbers(rows: Rows, columns: dict[str, list[str]]) -> tuple[Parts[np.ndarray], str]:
    """(2, N) numbers as they stand, and how."""
    east, north = columns["longitude"][0], columns["latitude"][0]
    form = point_form(rows.column(east)) if east == north else None
    if form is not None:
        given = rows.column(east).map(lambda part: np.stack(points(part, form)))
        return (given.map(lambda both: both[::-1]) if form == "pair" else given).kept(), form
    both = _finely(rows, columns["longitude"]).beside(_finely(rows, columns["latitude"]))
    return both.map(np.stack).kept(), "columns"


def _finely(rows: Rows, columns: list[str]) -> Parts[np.ndarray]:
    """The numbers of a column, of degrees with those of minutes and seconds beside them."""
    first, *finer = (numbers(rows.column(name)) for name in columns[:3])
    if not finer:
        return first
    return first.beside(*finer).map(
        lambda parts: (
            np.where(np.signbit(parts[0]), -1.0, 1.0)
            * sum(np.abs(part) / 60**place for place, part in enumerate(parts))
        )
    )


SCALES = (10_000_000, 1_000_000)  # by which whole numbers are degrees; no metres come so far down


def _degrees(
    given: Parts[np.ndarray], form: str, city: City, is_new: bool
) -> tuple[Parts[np.ndarray], str, list[Notice]]:
    """Which of the two is the longitude, by the extent that is known or by the clocks of where they lie."""
    (a, b), size = thinned(given.map(lambda part: part[:, both_known(part)]))
    if not size:
        return given.map(lambda part: np.where(both_known(part), part, np.nan)), "degrees", []
    notices: list[Notice] = []
    large = np.median(np.maximum(np.abs(a), np.abs(b))) > 360
    for is_so, unpacked, shown in (
        (packed, from_packed, "minutes in one number, 4109.62 is 41° 9.62'"),
        (packed_in_full, from_packed_in_full, "minutes and seconds in one number, 491609.12 is 49° 16' 9.12\""),
        (packed_seconds, from_packed_seconds, "minutes and seconds in one number, 353859226 is 35° 38' 59.226\""),
    ):  # fmt: skip
        if large and is_so(a) and is_so(b) and _put_right(unpacked(a), unpacked(b), city.time_zone):
            given = given.map(unpacked).kept()
            a, b, large = unpacked(a), unpacked(b), False
            says = f"The coordinates are degrees with {shown}: no two digits of minutes or seconds are ever 60 or more."
            notices.append(Notice("minutes_and_seconds", says, size))
    if large:
        for factor in SCALES:
            if any(zone_of(x / factor, y / factor) == city.time_zone for x, y in ((a, b), (b, a))):
                raise UserError(
                    f"The coordinates, such as {a[0]:,.0f}, {b[0]:,.0f}, are degrees without their decimal point: divided by {factor:,} they lie in "
                    f"{city.time_zone}'s land. Write them as degrees and try again."
                )
        found = propose_crs(a, b, city.time_zone)
        text = "; ".join(f"{code} ({name})" for code, name in found[:5])
        doubt = (
            " Some lie only some hundred metres apart, which no numbers tell: ask who publishes them which it is."
            if " m from where" in text
            else ""
        )
        raise Doubt(
            f"The coordinates, such as {a[0]:,.0f}, {b[0]:,.0f}, are no degrees but metres or feet: say in which coordinate system"
            + (f". Into {city.time_zone} they are put by {text}.{doubt}" if found else "."),
            "--crs EPSG:NUMBER",
            tuple(code for code, _ in found),
        )
    if any(east := [_eastwards(x) for x in (a, b)]):
        given = given.map(lambda part: _westwards(part, east)).kept()
        a, b = _westwards(np.stack([a, b]), east)
        says = "The longitudes are counted eastwards up to 360: 286.5 is read as -73.5."
        notices.append(Notice("all_round", says, size))
    if sexagesimal(a) and sexagesimal(b):
        given = given.map(from_sexagesimal).kept()
        a, b = from_sexagesimal(np.stack([a, b]))
        notices.append(
            Notice(
                "minutes_and_seconds",
                "The four decimals of the coordinates are minutes and seconds, 41.5230 is 41° 52' 30\": none of them is ever beyond 60.",
                size,
            )
        )
    flip, signs = _how(a, b, city, is_new)
    if flip and form != "pair":
        notices.append(
            Notice(
                "axes_exchanged",
                f"Longitude and latitude are exchanged in the file: read the other way round, its places lie in {city.time_zone}'s land.",
                size,
            )
        )
    lost = [name for name, sign in zip(("longitudes", "latitudes"), signs, strict=True) if sign < 0]
    if lost:
        said = f"The {' and '.join(lost)} have lost their sign: with it, the places lie in {city.time_zone}'s land."
        notices.append(Notice("sign_lost", said, size))
    if size >= 20 and (a % 1 == 0).all() and (b % 1 == 0).all():
        raise Doubt(
            f"The coordinates are whole degrees, such as {a[0]:g}, {b[0]:g}: minutes, seconds or decimals are elsewhere. Join the columns "
            "of degrees, minutes and seconds, or choose others.",
            "--map latitude=DEGREES+MINUTES+SECONDS",
        )
    stray = sum(int((np.abs(part).max(axis=0) > 360).sum()) for part in given.map(finite))
    distinct = np.unique(np.stack([a, b])[:, np.maximum(np.abs(a), np.abs(b)) > 360], axis=1)
    # A few small ones, -999 or 99999, stand for no place.
    placeholder = distinct.shape[1] <= 3 and np.abs(distinct).max(initial=0) < 100_000
    if stray > 0.02 * size and not placeholder:
        notices.append(
            Notice(
                "other_unit",
                f"{stray:,} rows have coordinates that can't be degrees, as the others are: they may be in another system, and are left out. Import them by themselves, with its name.",
                stray,
            )
        )
    lone = min(abs(float(np.median(a))), abs(float(np.median(b)))) > 1

    def degrees(part: np.ndarray) -> np.ndarray:
        there = both_known(part)
        if lone:  # nothing is half at zero
            there &= (part[0] != 0) & (part[1] != 0)
        found = np.where(there, part[::-1] if flip else part, np.nan)
        return found * [[sign] for sign in signs] if lost else found

    read = given.map(degrees)
    home = known_home(None if is_new else city) or home_of(thinned(read)[0], city.time_zone)
    if home is not None:
        wrong = sum(int((ways(part, home) > 0).sum()) for part in read)
        if wrong:
            read = read.map(lambda part: brought_home(part, home)).kept()
            says = (
                f"{wrong:,} rows have longitude and latitude exchanged, or a sign lost, where the others haven't: turned, they lie in the "
                "city, and are read so."
            )
            notices.append(Notice("axes_mixed", says, wrong))
    return read, "degrees", notices


def _eastwards(values: np.ndarray) -> bool:
    """Whether most degrees are beyond 180, where only longitudes that are counted up to 360 are."""
    return bool(((values > 180) & (values <= 360)).mean() > 0.5)


def _westwards(both: np.ndarray, east: list[bool]) -> np.ndarray:
    """Places (2, N) with what is beyond 180 of the axes that are counted up to 360 turned round."""
    beyond = (both > 180) & np.array(east)[:, None]
    return np.where(beyond, both - 360, both)


def _put_right(a: np.ndarray, b: np.ndarray, zone: str) -> bool:
    """Whether places lie in a zone's land with any signs, either of the two first."""
    ways = (
        (x * east, y * north) for x, y in ((a, b), (b, a)) for east in (1, -1) for north in (1, -1)
    )
    return any(zone_of(*way) == zone for way in ways)


def _how(a: np.ndarray, b: np.ndarray, city: City, is_new: bool) -> tuple[bool, tuple[int, int]]:
    """Whether the axes are to be exchanged, and the signs to turn longitude and latitude by."""
    flips, turned = (False, True), ((-1, 1), (1, -1), (-1, -1))
    # As they are, if that can be; of turned signs first those that lead into the zone itself, then what lies
    # where clocks show the same.
    tries = [(flip, (1, 1), False) for flip in flips]
    tries += [(flip, signs, True) for flip in flips for signs in turned]
    # Somebody who names a wrong zone of the same part of the world hasn't lost a sign.
    if not near_zone(a, b, city.time_zone):
        tries += [(flip, (-1, 1), False) for flip in flips]
    extent = None if is_new else city.extent()
    for flip, signs, exactly in tries:
        east, north = (b, a) if flip else (a, b)
        east, north = east * signs[0], north * signs[1]
        possible = (np.abs(east) <= 180) & (np.abs(north) < 90)
        if possible.mean() < 0.5:
            continue
        east, north = east[possible], north[possible]
        if extent is not None:
            x, y = city.to_metres.transform(east, north)
            x0, y0, x1, y1 = extent
            if np.mean((x > x0 - 5e4) & (x < x1 + 5e4) & (y > y0 - 5e4) & (y < y1 + 5e4)) > 0.3:
                return flip, signs
        elif (exactly and zone_of(east, north) == city.time_zone) or (
            not exactly and agrees(east, north, city.time_zone)
        ):
            return flip, signs
    return bool((np.abs(b) >= 90).mean() > 0.5 and (np.abs(a) < 90).mean() > 0.5), (1, 1)


def zone_notice(places: Parts[np.ndarray], zone: str, crs: str | None = None) -> Notice | None:
    """Says that the places lie where clocks show another time than the file's zone says; of metres of a `crs`, also that
    they lie in another zone's land where clocks show the same."""
    (a, b), size = thinned(places)
    if not size:
        return None
    found = zone_of(a, b)
    if found is None:
        return None
    if agrees(a, b, zone):
        if crs is None or found == zone or zone not in tzfpy.timezonenames():
            return None
        says = f"In {crs} the places lie in {found}'s land, not in {zone}'s, whose clocks show the same: the coordinate system may be that of another country."
        return Notice("elsewhere", says, size)
    says = f"The places lie where the time zone is {found}, but times are taken as {zone}: if that is wrong, every event is at a wrong hour; if a sign, the axes or the coordinate system are, every event is at a wrong place."
    if found.startswith("Etc/"):
        says += " They lie at sea."
    if zone_of(0.9 * a, 0.9 * b) == zone:
        says += f" As gradians, 400 to the circle, they would lie in {zone}'s land: multiplied by 0.9 they are degrees."
    return Notice("zone", says, size)
