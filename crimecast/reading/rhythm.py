"""Whether a file's hours are shifted, as in a wrong time zone: by when least happens, or of few records by
how the usual day would have to be turned to fit them.

The usual day is that of three real files (Chicago 2014 to 2015, Los Angeles 2020, San Francisco 2009 to 2013),
smoothed over three hours. On other files, of Chicago, Los Angeles and Vancouver, 300 records that are shifted
by six hours are found in 9 of 10, and of those that aren't none; single types of the night (arson, rapes) are
taken for shifted, as they are by the hour at which least happens.
"""

import numpy as np

from crimecast.reading.notice import Notice

ENOUGH, FEW = (
    500,
    100,
)  # records from which on the quietest hour tells, and from which on all hours together
TROUGH = range(2, 9)  # the hour around which least happens: 5 or 6 everywhere
QUIETEST = 5
USUAL = np.array(
    [4.0, 3.4, 2.6, 2.0, 1.6, 1.5, 1.9, 2.6, 3.4, 4.1, 4.4, 4.1, 4.2, 4.5, 5.3, 5.5, 5.8, 6.0, 6.1, 6.1, 5.7, 5.4, 5.0, 4.7]
)  # fmt: skip
NEAR = 4  # hours by which a city's, or a type's, day may differ
GAIN = 4.0  # log-likelihood over what is near, and over hours that are all alike
SHARPEST = (
    0.09,
    1.1,
)  # nats a record that the usual day has over hours alike, and how far that varies by 1/√n


def shifted(minutes: np.ndarray, scale: float = 1.0) -> Notice | None:
    """A notice where the hours of records don't fit the day of a city.

    minutes: (n,) of the day, without exact midnights and noons; scale: records for each of them.
    """
    if minutes.size < FEW:
        return None
    hours = np.bincount(minutes // 60, minlength=24).astype(float)
    shift = _by_quietest(hours) if minutes.size >= ENOUGH else _by_all(hours)
    if shift is None:
        return None
    says = (
        f"Least happens around {(QUIETEST + shift) % 24}:00, where in other cities it is around {QUIETEST}:00: the times look shifted by "
        f"{abs(shift)} hours {'later' if shift > 0 else 'earlier'}, as in a wrong time zone. Steps of hours, and days at their edges, would "
        "be wrong; correct the zone, unless the city's days are truly so."
    )
    return Notice("rhythm", says, round(minutes.size * scale))


def _by_quietest(hours: np.ndarray) -> int | None:
    smooth = hours + np.roll(hours, 1) + np.roll(hours, -1)
    trough = int(smooth.argmin())
    if trough in TROUGH or smooth.min() >= 0.6 * smooth.mean():
        return None
    return (trough - QUIETEST + 12) % 24 - 12


def _by_all(hours: np.ndarray) -> int | None:
    """The shift by which the usual day fits far better than unshifted or nearly so."""
    gain = np.log(24 * USUAL / USUAL.sum())  # over hours alike
    fits = np.array([hours @ np.roll(gain, shift) for shift in range(-12, 12)])
    far = np.abs(np.arange(-12, 12)) > NEAR
    best = int(np.where(far, fits, -np.inf).argmax())
    size = hours.sum()
    usual, varies = SHARPEST
    sharp = fits[best] / size > usual + varies / np.sqrt(
        size
    )  # another day altogether, as office hours
    if fits[best] < fits[~far].max() + GAIN or fits[best] < GAIN + 1 or sharp:
        return None
    return best - 12
