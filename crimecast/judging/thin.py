"""Whether a grid's counts are too thin to learn from, and the cell and step that would do."""

from math import ceil, sqrt

EACH, WHOLE = 5.0, 10.0  # events a cell over the period, and in the whole city a step
WORDS = {"1h": "hour", "6h": "6 hours", "1d": "day", "1w": "week", "1mo": "month"}
STEPS = ((1 / 24, "1h"), (0.25, "6h"), (1.0, "1d"), (7.0, "1w"), (30.4, "1mo"))


def enough(
    events: float, cells: float, steps: float, cell: float, step_days: float
) -> tuple[float | None, str | None]:
    """The cell in metres and the step that would have enough events; None for what has enough as it is.

    `events` lie in `cells` cells of `cell` metres over `steps` steps of `step_days` days. Cells are named by
    100 m, steps as they are usual.

    >>> enough(1_000, 800, 365, 500, 1.0), enough(90_000, 800, 365, 500, 1.0)
    ((1000.0, '1w'), (None, None))
    """
    each, a_step = events / cells, events / steps
    wider = ceil(cell * max(1.0, sqrt(EACH / max(each, 1e-9))) / 100) * 100.0
    days = step_days * max(1.0, WHOLE / max(a_step, 1e-9))
    longer = next((name for size, name in STEPS if size >= 0.99 * days), "1mo")
    return (wider if each < EACH else None, longer if a_step < WHOLE else None)


def advice(cell: float | None, step: str | None) -> str:
    """What would do, in words.

    >>> advice(1000.0, "1w")
    'cells of 1,000 m and steps of a week'
    """
    parts = [f"cells of {cell:,.0f} m"] if cell else []
    return " and ".join(parts + ([f"steps of {a_step(step)}"] if step else []))


def a_step(step: str) -> str:
    """A step of STEPS in words.

    >>> a_step("1d"), a_step("6h")
    ('a day', '6 hours')
    """
    word = WORDS[step]
    return f"{'an' if word == 'hour' else 'a'} {word}" if word.isalpha() else word
