"""Memories equal their formulas, written out once more the slow way, and never know the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from crimecast.calendar.steps import Step
from crimecast.grids.memories import KINDS, PRIOR_STEPS, Memory, decayed_means, evidence, recall

DAY = Step.parse("1d")
AREA = np.array([[True, True, False, True], [True, True, True, True], [False, True, True, True]])


def days(steps: int) -> np.ndarray:
    return np.datetime64("2020-02-20", "ns") + np.arange(steps) * np.timedelta64(1, "D")


def counted(of: str, half_life: float, t: int, lead: int, times: np.ndarray) -> np.ndarray:
    """The weight of each past step s in the memory of step t, from the words of its definition."""
    weights = np.zeros(t)
    for s in range(t - lead + 1):
        later = np.arange(s + 1, t - lead + 1)  # steps after s that have been seen
        if of == "all":
            weights[s] = 0.5 ** (len(later) / half_life)
        elif of == "weekday" and (t - s) % 7 == 0:
            weights[s] = 0.5 ** (7 * sum((t - later) % 7 == 0) / half_life)
        elif of == "hour":  # steps of a day: each is at the same hour
            weights[s] = 0.5 ** (len(later) / half_life)
        elif of == "first" and str(times[s])[8:10] == "01":
            firsts = sum(str(times[i])[8:10] == "01" for i in later)
            weights[s] = 0.5 ** (30.4 * firsts / half_life)
        elif of == "season":
            weights[s] = sum(
                abs(t - round(365.25 * years) - s) <= half_life for years in range(1, 4)
            )
    return weights


@pytest.mark.parametrize("of", KINDS)
@pytest.mark.parametrize("lead", [1, 3])
def test_each_kind_equals_its_definition(of: str, lead: int) -> None:
    rng = np.random.default_rng(3)
    steps = 800
    counts = rng.poisson(0.6, (steps, 2, *AREA.shape)).astype(np.float32)
    memories = [Memory(9.0, 0.0, of), Memory(30.0, 0.0, of), Memory(9.0, 1.2, of)]
    stream = list(recall(counts, memories, days(steps), DAY, AREA, lead))
    share = gaussian_filter(AREA.astype(float), 1.2, mode="constant")
    blurred = gaussian_filter(
        np.where(AREA, counts / share, 0.0), (0, 0, 1.2, 1.2), mode="constant"
    )
    for t in (5, 8, 40, 366, 799):
        sums, mass = stream[t]
        for m, memory in enumerate(memories):
            weights = counted(of, memory.half_life, t, lead, days(steps))
            frames = blurred if memory.blur else counts
            expected = np.einsum("t,tchw->chw", weights, frames[:t])[:, AREA]
            assert np.allclose(sums[m], expected, atol=2e-3), (t, memory)
            assert mass[m] == pytest.approx(weights.sum(), abs=1e-4)


@given(
    changed=st.integers(1, 449), lead=st.integers(1, 4), of=st.sampled_from(KINDS), blur=st.sampled_from([0.0, 1.0])
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_no_memory_knows_the_future(changed: int, lead: int, of: str, blur: float) -> None:
    counts = np.random.default_rng(2).poisson(1.0, (450, 1, *AREA.shape)).astype(np.float32)
    other = counts.copy()
    other[changed:] += 9
    memory = [Memory(20.0, blur, of)]
    before = [s for s, _ in recall(counts, memory, days(450), DAY, AREA, lead)]
    after = [s for s, _ in recall(other, memory, days(450), DAY, AREA, lead)]
    seen = changed + lead  # the first step whose memories may know of the change
    assert all(np.array_equal(a, b) for a, b in zip(before[:seen], after[:seen], strict=True))
    if of == "all" and seen < 450:
        assert not np.array_equal(before[seen], after[seen])


def test_a_blur_keeps_what_is_there_within_the_area() -> None:
    counts = np.zeros((3, 1, *AREA.shape), dtype=np.float32)
    counts[0] = 1.0
    (sums, _) = list(recall(counts, [Memory(np.inf, 1.0)], days(3), DAY, AREA))[1]
    assert sums.sum() == pytest.approx(AREA.sum(), rel=0.25)
    assert sums.min() > 0


def test_hours_and_weeks_are_remembered_apart() -> None:
    step = Step.parse("6h")
    times = np.datetime64("2020-01-01", "ns") + np.arange(200) * np.timedelta64(6, "h")
    counts = np.zeros((200, 1, *AREA.shape), dtype=np.float32)
    counts[1::4] = 1.0  # each morning
    memories = [Memory(30.0, of="hour"), Memory(300.0, of="weekday")]
    for t, (sums, mass) in enumerate(recall(counts, memories, times, step, AREA)):
        if t > 30:
            rates = sums[:, 0] / mass[:, None]
            assert np.allclose(rates, 1.0 if t % 4 == 1 else 0.0, atol=1e-5)


def test_evidence_is_pulled_towards_no_difference() -> None:
    sums, expected = np.array([0.0, 1.0, 100.0, 3.0]), np.array([0.0, 0.0, 50.0, 3.0])
    assert np.allclose(evidence(sums, expected), [0.0, np.log(2), np.log(101 / 51), 0.0])


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
