"""Records that follow patrols feed back; records that don't, do not."""

import numpy as np
import pytest

from crimecast.judging.feedback import simulate_feedback


def rates() -> np.ndarray:
    return np.random.default_rng(0).gamma(4.0, 0.05, 300)


def test_patrols_make_records_and_records_make_patrols() -> None:
    steady = simulate_feedback(rates(), steps=600, base=0.5, watched=0.5)
    fed = simulate_feedback(rates(), steps=600, base=0.3, watched=1.0)
    assert fed.runaway > 1.3 * steady.runaway
    assert fed.recorded.mean() > 0.3
    assert steady.recorded.mean() == pytest.approx(0.5, abs=0.02)


def test_shares_are_shares() -> None:
    made = simulate_feedback(rates(), steps=100, share=0.1)
    assert made.patrols.sum() == pytest.approx(1)
    assert made.truth.sum() == pytest.approx(1)
    assert (made.patrolled <= 1).all()
    assert made.runaway >= 0


def test_the_same_seed_is_the_same_story() -> None:
    one, two = (simulate_feedback(rates(), steps=50, seed=3) for _ in range(2))
    assert np.array_equal(one.patrolled, two.patrolled)
