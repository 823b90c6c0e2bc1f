"""Decayed means equal their formula, and know nothing of their own step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crimecast.memories import PRIOR_STEPS, decayed_means


def test_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.5, (30, 1, 4, 5)).astype(np.float32)
    area = np.ones((4, 5), dtype=bool)
    maps = decayed_means(counts, [3.0, 10.0], area, lead=2)
    for m, half_life in enumerate([3.0, 10.0]):
        weight = 0.5 ** (1 / half_life)
        for t in (2, 7, 29):
            w = weight ** (t - 2 - np.arange(t - 1))[:, None, None]
            total, mass = (w * counts[: t - 1, 0]).sum(axis=0), w.sum()
            expected = (total + PRIOR_STEPS * total.mean() / mass) / (mass + PRIOR_STEPS)
            assert np.allclose(maps[t, m, 0], expected, rtol=1e-5)
    assert not maps[:2].any()


@given(st.integers(1, 18), st.integers(1, 3))
def test_the_future_has_no_say(step: int, lead: int) -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(1.0, (20, 1, 3, 3)).astype(np.float32)
    area = np.ones((3, 3), dtype=bool)
    before = decayed_means(counts, [5.0], area, lead)
    changed = counts.copy()
    changed[step:] += 9
    after = decayed_means(changed, [5.0], area, lead)
    assert (before[: step + lead] == after[: step + lead]).all()
