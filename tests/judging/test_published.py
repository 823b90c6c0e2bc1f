"""The papers' metrics beside scikit-learn's, and the best points beside all others."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.preprocessing import MinMaxScaler

from crimecast.judging.published import (
    best_absolute,
    best_relative,
    best_thresholds,
    by_crimeforecaster,
    by_hagen,
    f1,
    masked_errors,
    rescaled,
)

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("rate", [0.02, 0.4, 1.0, 2.7, 8.3, 20.0])
def test_no_other_point_is_better_on_counts_of_that_rate(rate: float) -> None:
    counts = RNG.poisson(rate, 400_000)
    points = np.arange(1, 45)
    errors = np.array([masked_errors(np.full(1, point), counts) for point in points])
    for best, metric in ((best_absolute, 0), (best_relative, 1)):
        own = masked_errors(best(np.array([rate])), counts)[metric]
        assert own <= errors[:, metric].min() * 1.002


def test_f1_is_scikit_learns() -> None:
    true, said = (RNG.random((500, 8)) < share for share in (0.3, 0.5))
    true[:, 3] = said[:, 3] = False  # a type that never was, and was never said
    for average, ours in zip(("macro", "micro"), f1(said.astype(int), true.astype(int)), strict=True):  # fmt: skip
        assert ours == pytest.approx(f1_score(true, said, average=average, zero_division=0))


def test_rescaling_is_that_of_the_papers_code() -> None:
    chances = RNG.random((300, 5))
    scaled = MinMaxScaler().fit_transform(chances)
    assert np.allclose(rescaled(chances), scaled)
    assert (by_crimeforecaster(chances) == (scaled >= 0.5)).all()
    assert by_hagen(chances, 0.3).mean() == pytest.approx(0.3, abs=0.001)


def test_thresholds_are_the_best_of_all() -> None:
    chances = np.round(RNG.random((200, 3)), 3)
    true = (RNG.random((200, 3)) < chances).astype(int)
    best = best_thresholds(chances, true)
    for k in range(3):
        scores = [f1_score(true[:, k], chances[:, k] >= level) for level in np.unique(chances[:, k])]  # fmt: skip
        own = f1_score(true[:, k], chances[:, k] >= best[k])
        assert own >= max(scores) - 0.006  # of chances that are alike not all may be meant
