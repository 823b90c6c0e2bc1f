"""What is proven, what is withheld, and that it is kept and told."""

import json
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import crimecast.inspect
from crimecast.cli import main
from crimecast.errors import UserError
from crimecast.inspect.prove import known_proof, proof_of
from crimecast.runs.run import load_run
from tests.networks.kinds import Kind, Twice

HISTORY = 3 * np.random.default_rng(0).random((7, 1, 12, 10), dtype=np.float32)


def test_the_sample_run_is_proven_and_kept(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "stack-1", "--prove", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["proven", "checks", "layers"]
    assert told["proven"]
    assert {tuple(check) for check in told["checks"]} == {("check", "layer", "ok", "why")}
    assert {check["check"] for check in told["checks"]} == {
        "replays", "axes", "field", "repeats", "batch", "order", "modes", "gradient",
    }  # fmt: skip
    assert {tuple(layer) for layer in told["layers"]} == {("layer", "kind", "channels", "field")}
    by_name = {layer["layer"]: layer for layer in told["layers"]}
    assert by_name["stem"] == {
        "layer": "stem", "kind": "conv", "channels": 32, "field": [0, 0, 0, 0],
    }  # fmt: skip
    # The norms' statistics are of the whole map: 22 rows, 23 columns.
    assert by_name["log_rate"]["field"] == [11, 10, 11, 11]
    run = load_run("stack-1")
    assert known_proof(run) == proof_of(run)
    assert json.loads(json.dumps(proof_of(run).row())) == told


class Sick(Kind):
    """Breaks one promise."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near, self.calls = how, nn.Conv2d(7, 1, 3, padding=1), 0

    def net(self, x: Tensor) -> Tensor:
        made = self.near(x)
        self.calls += 1
        if self.how == "counts":
            return made + self.calls
        if self.how == "mixes":
            return made - made.mean(0)
        if self.how == "trains":
            return made * (2 if self.training else 1)
        if self.how == "detached":
            return made + self.near(x).detach()
        return made + torch.from_numpy(x.detach().numpy()[:, :1].copy())


@pytest.mark.parametrize(
    ("how", "check"),
    [
        ("counts", "repeats"), ("counts", "order"), ("mixes", "batch"), ("trains", "modes"),
        ("detached", "gradient"), ("numpy", "field"), ("numpy", "gradient"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_named(how: str, check: str) -> None:
    torch.manual_seed(0)
    proof = crimecast.inspect.look(Sick(how), HISTORY).prove()
    assert check in {c.check for c in proof.doubts}
    assert not proof.proven
    assert (proof.layers[-1].field is None) == (
        check == "field" or how in ("numpy", "mixes", "counts")
    )


class Slow(Kind):
    """Works for half a second at its first call, or waits at each."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near, self.calls = how, nn.Conv2d(7, 1, 3, padding=1), 0

    def net(self, x: Tensor) -> Tensor:
        end = time.thread_time() + 0.5
        while self.how == "loads" and not self.calls and time.thread_time() < end:
            pass
        if self.how == "waits" and self.calls < 2:
            time.sleep(0.5)
        self.calls += 1
        return self.near(x)


@pytest.mark.parametrize("how", ["loads", "waits"])
def test_a_busy_machine_does_not_decide_what_is_proven(how: str) -> None:
    torch.manual_seed(0)
    assert crimecast.inspect.look(Slow(how), HISTORY).prove().proven


class Around(Kind):
    """Stands in something that what it is given doesn't show, or holds on to itself."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near, self.out = how, nn.Conv2d(7, 4, 3, padding=1), nn.Conv2d(4, 1, 1)
        self.kept: dict[str, Tensor] = {}
        if how == "pre-hook":
            self.near.register_forward_pre_hook(lambda _, given: (given[0].roll(1, -1),))
        if how == "hook":
            self.near.register_forward_hook(lambda *given: self.kept.update(near=given[2]))

    def net(self, x: Tensor) -> Tensor:
        if self.how == "autocast":
            with torch.autocast("cpu", torch.bfloat16):
                made = self.near(x)
            return self.out(made.to(x.dtype))
        if self.how == "other weights":
            weights = {name: 2 * p for name, p in self.near.named_parameters()}
            return self.out(torch.func.functional_call(self.near, weights, (x,)))
        made = self.near(x)
        return self.out(self.kept["near"] if self.how == "hook" else made)


@pytest.mark.parametrize("how", ["autocast", "other weights", "pre-hook", "hook"])
def test_a_layer_is_tried_in_what_it_stands_in(how: str) -> None:
    torch.manual_seed(0)
    proof = crimecast.inspect.look(Around(how), HISTORY).prove()
    assert {c.check for c in proof.doubts} <= ({"order"} if how == "hook" else set())
    assert proof.layers[-1].field is not None


def test_any_module_is_looked_into_with_arrays() -> None:
    torch.manual_seed(0)
    network = Twice()
    seen = crimecast.inspect.look(network, HISTORY)
    with torch.no_grad():
        plain = network(
            torch.from_numpy(HISTORY)[None], torch.zeros(1, 0), torch.zeros(1, 0, 12, 10)
        )
    assert np.array_equal(seen.forecast(), plain[0].numpy())
    assert {k: v.shape for k, v in seen.activations().items()} == {
        "a": (4, 12, 10), "act:1": (4, 12, 10), "b": (8, 12, 10), "act:2": (8, 12, 10), "out": (1, 12, 10),
    }  # fmt: skip
    field = seen.field((6, 5))
    assert (field.rows, field.columns) == ((4, 8), (3, 7))
    assert seen.field((6, 5), "a").reach((6, 5)) == 1
    assert [n.name for n in seen.graph()] == ["a", "act:1", "b", "act:2", "out"]
    off = seen.without("act:2", [3])
    assert not np.array_equal(off, seen.forecast())
    with torch.no_grad():
        network.out.weight[:, 3] = 0
    assert np.allclose(off, seen.forecast(), atol=1e-6)
    assert seen.prove().proven
    with pytest.raises(UserError, match="no call 'attic'"):
        seen.field((0, 0), "attic")
    with pytest.raises(UserError, match="isn't that of one sample"):
        crimecast.inspect.look(network, HISTORY[0])
