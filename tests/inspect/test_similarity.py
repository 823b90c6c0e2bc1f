"""CKA and dimensions equal other implementations; probes find what a layer holds and only that."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from crimecast.inspect.similarity import Features, cka, cka_table, features, probe, width
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run


def unbiased_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Song et al.'s U-statistic from its definition over quadruples of different rows."""
    k, m = x @ x.T, y @ y.T
    n = len(x)
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    first = sum(k[i, j] * m[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    second = sum(
        k[i, j] * m[i, q] for i in range(n) for j in range(n) for q in range(n)
        if len({i, j, q}) == 3
    ) / (n * (n - 1) * (n - 2))  # fmt: skip
    third = sum(
        k[i, j] * m[p, q]
        for i in range(n) for j in range(n) for p in range(n) for q in range(n)
        if len({i, j, p, q}) == 4
    ) / (n * (n - 1) * (n - 2) * (n - 3))  # fmt: skip
    return first - 2 * second + third


def test_cka_equals_its_definition() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    y[:, 0] += x[:, 0]
    expected = unbiased_by_hand(x, y) / np.sqrt(unbiased_by_hand(x, x) * unbiased_by_hand(y, y))
    assert cka(x, y) == pytest.approx(expected, rel=1e-9)


def test_cka_is_one_for_the_same_and_near_zero_for_strangers() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, 40))
    turn, _ = np.linalg.qr(rng.normal(size=(40, 40)))
    assert cka(x, 3 * x @ turn + 5) == pytest.approx(1.0, abs=1e-6)
    assert abs(cka(x, rng.normal(size=(3000, 40)))) < 0.02
    assert np.isnan(cka(x, np.ones((3000, 2))))


def test_width_equals_a_principal_component_analysis() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 10)) + 1e-3 * rng.normal(size=(500, 10))
    found = width(x)
    pca = PCA(n_components=0.99, svd_solver="full").fit(x)
    assert found.used == pca.n_components_ <= 3
    values = PCA().fit(x).explained_variance_
    assert found.participation == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-6)
    assert width(np.ones((50, 4))).used == 0


def test_a_probe_finds_what_is_there() -> None:
    rng = np.random.default_rng(3)
    times = np.datetime64("2023-01-02", "ns") + np.arange(40) * np.timedelta64(1, "D")
    step = np.repeat(np.arange(40), 50)
    weekday = np.eye(7)[step % 7]
    values = {
        "knows": weekday + 0.05 * rng.normal(size=weekday.shape),
        "not": rng.normal(size=weekday.shape),
    }
    made = Features(values, step, rng.random(2000), rng.random(2000))
    assert probe(made, times, "knows")["weekday"] > 0.9
    assert probe(made, times, "not")["weekday"] < 0.05


@pytest.mark.long
def test_a_real_network(sample: str) -> None:
    one = subject(load_run("stack-1"))
    made = features(one, 6)
    rows, columns, table = cka_table(made, made)
    assert rows == columns == list(one.layers)
    assert np.allclose(np.diag(table), 1.0)
    assert np.allclose(table, table.T, equal_nan=True)
    knows = probe(made, one.cube.times, "block_2")
    assert knows["forecast"] > 0.3
