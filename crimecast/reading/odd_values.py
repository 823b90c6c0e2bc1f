"""What a part of the records betrays: places far from the rest or with other decimals, a minute or a date that stands
for none, rows that a spreadsheet filled in. Each is said with its number; nothing is left out.
"""

import numpy as np
import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts

FEW = 10  # rows below which nothing is said
SPREADS = 12.0  # widths of the middle half of the places: what lies farther is far
LEAST_SPREAD = 0.02  # degrees
NOTHING_BETWEEN = 3.0  # widths of the wider of two parts between which there is no record
FAR_SHARE = 0.004
SAME, WHOLE = (
    0.002,
    0.003,
)  # shares of rows of which both coordinates are equal, or one is a whole degree
COARSE = (
    0.03,
    0.5,
)  # shares of rows with few decimals, below which it is chance, above which it is said of all
VARIOUS = 5  # values from which on an axis tells anything
ONE_AXIS = 0.3  # of the rows have few decimals in one coordinate alone
ONE_VALUE = 0.03  # of the rows have one longitude, or latitude, where hardly two are the same
A_MINUTE = 0.03  # of the rows, and times the next most frequent minute
AHEAD = 3.0
FILLED = 20  # rows one after the other, exactly a day apart
IN_ORDER = 0.995  # of the rows
DATES = r"^(\d{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|\d{4}-\d{2}-\d{2}( 00:00:00)?)$"
YEAR = np.timedelta64(400, "D")


def odd_places(sample: pl.DataFrame, scale: float) -> list[Notice]:
    """Notices on `longitude` and `latitude` of a sample of the records, `scale` records each."""
    if sample.height < 5 * FEW:
        return []
    east, north = (sample[name].to_numpy() for name in ("longitude", "latitude"))
    found = [_far(east, north, scale), _equal(east, north, scale), _coarse(sample, scale)]
    found += [
        check(name, own, other, scale)
        for name, own, other in (("latitude", north, east), ("longitude", east, north))
        for check in (_whole, _one_value)
    ]
    return [one for one in found if one is not None]


def _far(east: np.ndarray, north: np.ndarray, scale: float) -> Notice | None:
    far = np.zeros(len(east), dtype=bool)
    for values in (east, north):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        far |= np.abs(values - middle) > SPREADS * max(high - low, LEAST_SPREAD)
        order = np.sort(values)
        gaps = np.diff(order)
        at = int(gaps.argmax()) + 1
        wide = max(np.ptp(np.quantile(part, (0.01, 0.99))) for part in (order[:at], order[at:]))
        if gaps[at - 1] > NOTHING_BETWEEN * max(wide, LEAST_SPREAD):
            fewer = values < order[at] if at <= len(order) / 2 else values >= order[at]
            far |= fewer
    rows = int(far.sum())
    if rows < max(FEW, FAR_SHARE * len(far)):
        return None
    return Notice(
        "far_places",
        f"{rows / len(far):.1%} of the places lie far from the rest, around {np.median(north[far]):.3f}, {np.median(east[far]):.3f}, and are counted as the "
        "city's: a town of the same name, digits that were lost, or a place that is known by its state alone. Empty or mend them in the file if so.",
        round(rows * scale),
    )


def _equal(east: np.ndarray, north: np.ndarray, scale: float) -> Notice | None:
    rows = int((east == north).sum())
    if rows < max(FEW, SAME * len(east)):
        return None
    return Notice("equal_axes", f"In {rows * scale:,.0f} rows longitude and latitude are the same number: one was written into both.", round(rows * scale))  # fmt: skip


def _whole(name: str, own: np.ndarray, _other: np.ndarray, scale: float) -> Notice | None:
    whole = np.abs(own - np.round(own)) < 1e-9
    rows = int(whole.sum())
    if not max(FEW, WHOLE * len(own)) <= rows <= 0.9 * len(own):
        return None
    return Notice("whole_degrees", f"In {rows * scale:,.0f} rows the {name} is a whole number of degrees: its decimals were lost, and the place is up to 55 km off.", round(rows * scale))  # fmt: skip


def _one_value(name: str, own: np.ndarray, other: np.ndarray, scale: float) -> Notice | None:
    values, counted = np.unique(own, return_counts=True)
    at = int(counted.argmax())
    rows = int(counted[at])
    if len(values) < 0.3 * len(own) or rows < max(FEW, ONE_VALUE * len(own)):
        return None
    if len(np.unique(other[own == values[at]])) < 0.5 * rows:
        return None  # one place
    return Notice("one_value", f"In {rows * scale:,.0f} rows the {name} is {values[at]:g}, each time beside another value of the other axis: it stands for none, or was filled in.", round(rows * scale))  # fmt: skip


def _coarse(sample: pl.DataFrame, scale: float) -> Notice | None:
    """Fewer decimals in a part of the rows, or of one axis alone."""
    for digits, metres in ((1, 11_000), (2, 1_100), (3, 110)):
        on = {
            name: ((sample[name] * 10**digits - (sample[name] * 10**digits).round()).abs() < 1e-6)
            for name in ("longitude", "latitude")
        }
        both = on["longitude"] & on["latitude"]
        share = float(both.mean() or 0.0)
        alone = float((on["longitude"] ^ on["latitude"]).mean() or 0.0)  # one of them, as by chance
        if COARSE[0] < share <= COARSE[1] and share > alone and both.sum() >= FEW:
            times = sample.filter(both)["time"]
            when = (
                f", from {str(times.min())[:10]} to {str(times.max())[:10]}"
                if times.null_count() < len(times)
                else ""
            )
            return Notice("coarse_places", f"{share:.0%} of the places have {digits} decimal{'s' * (digits > 1)}, about {metres:,} m{when}, the others more: in smaller cells the rounding shows, not the city.", round(both.sum() * scale))  # fmt: skip
        for name, other in (("longitude", "latitude"), ("latitude", "longitude")):
            if (
                sample[name].n_unique() > VARIOUS
                and (own := float(on[name].mean() or 0.0)) > ONE_AXIS
                and (on[other].mean() or 0.0) < 0.5 * own
            ):
                return Notice("coarse_places", f"In {own:.0%} of the rows the {name} has {digits} decimal{'s' * (digits > 1)}, about {metres:,} m, the {other} more: smaller cells show the rounding.", round(sample.height * scale))  # fmt: skip
    return None


def odd_minutes(minutes: np.ndarray, scale: float) -> list[Notice]:
    """A minute of the day (M,) that stands for an unknown one, other than midnight and noon."""
    counted = np.bincount(minutes, minlength=1440)
    counted[[0, 720]] = 0
    top = int(counted.argmax())
    rows = int(counted[top])
    second = np.delete(counted, top).max()
    if rows < max(FEW, A_MINUTE * len(minutes)) or rows < AHEAD * second:
        return []
    says = f"{rows / len(minutes):.1%} of the times are exactly {top // 60:02d}:{top % 60:02d}, {rows / max(1, second):.0f} times the next most frequent minute: it may stand for an unknown hour, as where a shift begins."
    return [Notice("many_at_a_minute", says, round(rows * scale))]


def odd_rows_in_order(events: Parts[pl.DataFrame]) -> list[Notice]:
    """Rows that a spreadsheet filled in day by day, or a column that was sorted by itself; rows in the file's order."""
    filled = height = 0
    sorted_by = {"longitude": True, "latitude": True}
    timely = True
    for part in events:
        height += part.height
        if part.height < 2:
            continue
        times = part["time"].to_numpy().astype("datetime64[us]")
        steps = np.diff(times)
        daily = np.concatenate([[0], steps == np.timedelta64(1, "D"), [0]]).astype(np.int8)
        turns = np.flatnonzero(np.diff(daily))
        lengths = turns[1::2] - turns[::2]
        filled += int(lengths[lengths >= FILLED].sum())
        forward = [(steps >= np.timedelta64(0)).mean(), (steps <= np.timedelta64(0)).mean()]
        timely &= bool(part.height > 5 * FEW and max(forward) > IN_ORDER)
        for name in sorted_by:
            along = np.diff(part[name].to_numpy())
            sorted_by[name] &= (
                max((along >= 0).mean(), (along <= 0).mean()) > IN_ORDER if len(along) else False
            )
    found = []
    if FILLED <= filled < 0.5 * height:
        found.append(Notice("filled_in", f"{filled:,} rows follow one another at exactly a day's distance, at the same minute: a spreadsheet may have filled them in.", filled))  # fmt: skip
    for name, is_sorted in sorted_by.items():
        if is_sorted and timely and height > 5 * FEW and sum(sorted_by.values()) == 1:
            found.append(Notice("sorted_alone", f"In a file in the order of time the {name} rises or falls from row to row as well: it seems to have been sorted by itself, and belongs to other rows.", height))  # fmt: skip
    return found


def odd_types(types: pl.DataFrame) -> list[Notice]:
    """Names of types (`type`, `rows`) that are dates."""
    dates = types.filter(pl.col("type").str.contains(DATES))
    rows = int(dates["rows"].sum())
    if rows < max(FEW, 0.002 * int(types["rows"].sum())):
        return []
    return [Notice("types_are_dates", f"{rows:,} records have a date for their type, such as '{dates['type'][0]}': a spreadsheet made it of a code, or it is another column.", rows)]  # fmt: skip


def odd_years(days: pl.DataFrame) -> list[Notice]:
    """Records (`time`, `count` a day) that lie more than a year without any from all others."""
    given = days["time"].to_numpy().astype("datetime64[D]")
    gaps = np.flatnonzero(np.diff(given) > YEAR)
    total = int(days["count"].sum())
    counted = np.cumsum(days["count"].to_numpy())
    small = [(min(int(counted[at]), total - int(counted[at])), int(at)) for at in gaps]
    rows, at = max(small, default=(0, 0))
    if not FEW <= rows <= 0.5 * total:
        return []
    early = counted[at] < total / 2
    first, last = (given[0], given[at]) if early else (given[at + 1], given[-1])
    return [Notice("years_apart", f"{rows:,} records are of {first} to {last}, more than a year {'before' if early else 'after'} all others: their year may be wrong. Their days count as days without other events.", rows)]  # fmt: skip
