"""Maps reach the browser as they are: codes are read back within half a step."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.plots.colours import colour_bytes, colour_table, to_oklab
from crimecast.plots.rasters import (
    Ground,
    Panel,
    Scene,
    dequantize,
    message,
    missing,
    quantize,
    window,
)


@given(
    st.floats(-100, 0), st.floats(0.01, 100), st.sampled_from([1.0, 2.0]), st.sampled_from([1, 2])
)
def test_codes_are_read_back(low: float, span: float, gamma: float, size: int) -> None:
    panel = Panel("p", low=low, high=low + span, gamma=gamma, size=size)
    values = np.linspace(low, low + span, 501)
    back = dequantize(quantize(values, panel), panel)
    assert np.abs(back - values).max() <= span * gamma * 0.51 / (256**size - 1)


def test_small_counts_are_exact() -> None:
    panel = Panel("p", high=255.0)
    assert np.array_equal(dequantize(quantize(np.arange(256), panel), panel), np.arange(256))


def test_a_message_holds_what_its_header_says() -> None:
    panels = [Panel("a"), Panel("b", size=2), Panel("c", minus=(0, 1))]
    scene = Scene("id", Ground((3, 4), 500.0, [], []), panels)
    maps = {
        5: [np.random.rand(3, 4), np.random.rand(3, 4), None],
        6: [np.random.rand(3, 4), np.random.rand(3, 4), None],
    }
    data = message(scene, np.ones((3, 4), bool), maps, 5, first=5)
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    assert (header["steps"], header["step"], header["first"]) == ([5, 6], 5, 5)
    assert len(data) == 4 + length + 12 + 3072 + 2 * (12 + 24)
    first = np.frombuffer(data[4 + length + 12 + 3072 :][:12], np.uint8).reshape(3, 4)
    assert np.array_equal(first, quantize(maps[5][0], panels[0]))


@given(st.integers(10, 90), st.integers(1, 2_000_000))
def test_the_window_holds_the_step_and_stays_inside(step: int, size: int) -> None:
    steps = window(step, 10, 91, size)
    assert step in steps
    assert steps.start >= 10
    assert steps.stop <= 91
    assert len(steps) * size <= 5 * size or len(steps) * size < 2_000_000


@given(
    st.integers(10, 90),
    st.integers(1, 10**7),
    st.integers(0, 30),
    st.integers(0, 30),
    st.booleans(),
)
def test_what_is_missing_is_next_to_the_step_and_never_sent_twice(
    step: int, size: int, before: int, after: int, there: bool
) -> None:
    have = range(max(10, step - before), min(91, step + after + 1)) if there else range(0)
    steps = missing(step, 10, 91, size, have)
    assert not set(steps) & set(have)
    assert all(10 <= i < 91 for i in steps)
    assert len(steps) * size <= max(700_000, 5 * size)
    if not there:
        assert step in steps
        assert steps == list(range(steps[0], steps[-1] + 1))
    elif steps:  # they join on to what is there
        assert steps == list(range(steps[0], steps[-1] + 1))
        assert steps[0] == have.stop or steps[-1] == have.start - 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_equal_steps_of_value_look_equal(mode: str) -> None:
    for kind in ("sequential", "diverging"):
        lab = to_oklab(colour_table(kind, mode) / 255)
        steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
        assert steps.max() < 3 * np.median(steps)
    light = to_oklab(colour_table("sequential", mode) / 255)[:, 0]
    assert (np.diff(light) * (1 if mode == "dark" else -1) > -1e-3).all()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_arms_of_the_diverging_map_differ_without_red_and_green(mode: str) -> None:
    lab = to_oklab(colour_table("diverging", mode) / 255)
    assert (lab[:100, 2] < lab[:100, 2].max() + 1e-9).all()
    assert lab[60, 2] < -0.03  # towards blue
    assert lab[195, 2] > 0.03  # towards yellow, which no common colour blindness takes for blue
    assert len(colour_bytes()) == 3072
