"""What is proven, what is withheld, and that it is kept and told."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

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
    assert {tuple(layer) for layer in told["layers"]} == {
        ("layer", "kind", "channels", "field", "shown")
    }
    by_name = {layer["layer"]: layer for layer in told["layers"]}
    assert by_name["stem"] == {
        "layer": "stem", "kind": "conv", "channels": 32, "field": [0, 0, 0, 0], "shown": "",
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


@pytest.mark.long
@pytest.mark.parametrize("how", ["loads", "waits"])
def test_a_busy_machine_does_not_decide_what_is_proven(how: str) -> None:
    torch.manual_seed(0)
    assert crimecast.inspect.look(Slow(how), HISTORY).prove().proven


class Doubled(torch.autograd.Function):
    """Twice as much, with a gradient that is four hundredths too large."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> Tensor:
        return 2.08 * given[0]


class Nearly(Kind):
    """Almost as it should be: a gradient, a cell that is cut off, a map moved round, a mask of rows."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near = (
            how,
            nn.Conv2d(7, 6, 1 if how == "moved by one" else 5, padding="same"),
        )
        self.out = nn.Conv2d(6, 1, 3, padding=1)
        self.register_buffer("mask", torch.arange(12)[:, None].expand(12, 10) > 2)

    def net(self, x: Tensor) -> Tensor:
        if self.how.startswith("moved"):
            by = int(self.how == "moved by one") or 2
            return self.out(self.near(x.roll((by, by), (2, 3))).roll((-by, -by), (2, 3)))
        mask: Tensor = self.mask  # type: ignore[assignment]
        masks = {
            "where": lambda: torch.where(mask, x, 0.0), "filled": lambda: x.masked_fill(~mask, 0.0),
            "times": lambda: x * mask,
        }  # fmt: skip
        made = self.out(self.near(masks[self.how]() if self.how in masks else x))
        if self.how == "function":
            made = Doubled.apply(made)
        if self.how == "corner":
            free, made = made, made.clone()
            made[..., -1, -1] = free[..., -1, -1].detach()
        return made


@pytest.mark.parametrize(
    ("how", "check"),
    [
        ("function", "gradient"), ("corner", "gradient"), ("moved by one", "field"), ("moved by two", "field"),
        ("where", ""), ("filled", ""), ("times", ""), ("plain", ""),
    ],
)  # fmt: skip
def test_what_is_nearly_right_is_not_proven(how: str, check: str) -> None:
    torch.manual_seed(0)
    one = crimecast.inspect.look(Nearly(how), HISTORY)
    assert {c.check for c in one.prove().doubts} == ({check} if check else set())
    if how in ("where", "filled", "times"):  # what is masked isn't seen
        assert one.field((0, 5)).rows == (3, 3)


class Rows(Kind):
    """Attention of each row's cells to those of its own half of the map, by a constant that is added to the scores."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first, self.near, self.out = first, nn.Conv2d(7, 4, 1), nn.Conv2d(4, 1, 1)
        half = torch.arange(12) < 6
        self.register_buffer("mask", torch.where(half[:, None] == half[None], 0.0, -100.0))

    def net(self, x: Tensor) -> Tensor:
        x = self.near(x)
        rows = x.permute(0, 3, 2, 1)  # (B, W, H, C)
        scores, mask = rows @ rows.transpose(-1, -2), self.mask
        weights = torch.softmax(mask + scores if self.first else scores + mask, -1)
        return self.out((weights @ rows).permute(0, 3, 2, 1))


@pytest.mark.parametrize("first", [True, False])
def test_a_constant_that_is_added_to_scores_shuts_them(first: bool) -> None:
    torch.manual_seed(0)
    one = crimecast.inspect.look(Rows(first), HISTORY)
    assert one.prove().proven
    assert one.field((2, 5)).rows == (0, 5)
    assert one.field((8, 5)).rows == (6, 11)


class Unfollowed(Kind):
    """What torch lets nobody follow."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near, self.line = how, nn.Conv2d(7, 1, 3, padding=1), nn.Linear(120, 120)

    def net(self, x: Tensor) -> Tensor:
        if self.how == "cond":
            one, other = self.near, lambda x: 2 * self.near(x)
            made: Tensor = torch.cond(x.sum() > 1e9, one, other, (x,))
            return made
        rows = torch.nested.nested_tensor([*self.near(x).flatten(2)])
        return self.line(rows).to_padded_tensor(0.0).unflatten(-1, (12, 10))


@pytest.mark.parametrize("how", ["cond", "nested"])
def test_what_nobody_can_follow_is_said(how: str) -> None:
    with pytest.raises(UserError, match="can't be followed"):
        crimecast.inspect.look(Unfollowed(how), HISTORY).prove()


class Batches(Kind):
    """Looks at the whole batch, by a decision on values or an operation that no rule knows; or at a whole map."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.out = how, nn.Conv2d(7, 1, 1 if how == "renorm" else 3, padding="same")

    def net(self, x: Tensor) -> Tensor:
        if self.how == "renorm":
            return self.out(x.renorm(2, 2, 1.0))
        made = self.out(x)
        if self.how == "decides":
            return made if bool((x[:, 0, 0, 0] > 0.5).any()) else 2 * made
        return made + (x.amax() if self.how == "amax" else x.amax(dim=[]))


@pytest.mark.parametrize(("how", "proven"), [("decides", False), ("renorm", False), ("amax", True), ("amax of all", True)])  # fmt: skip
def test_the_batch_lends_no_sample_its_field(how: str, proven: bool) -> None:
    torch.manual_seed(0)
    one = crimecast.inspect.look(Batches(how), HISTORY)
    field = one.prove().layers[-1].field
    assert (field == (6, 5, 5, 4)) if proven else (field is None)


class Columns(Kind):
    """Columns as samples, whose rows a recurrent layer walks through; the last layer gives one number a row."""

    def __init__(self) -> None:
        super().__init__()
        self.walk, self.out = nn.LSTM(7, 4, batch_first=True), nn.Linear(4, 1)

    def net(self, x: Tensor) -> Tensor:
        size = len(x), x.shape[3], x.shape[2]
        told = self.walk(x.permute(0, 3, 2, 1).flatten(0, 1))[0].flip(1)
        return self.out(told).view(*size, 1).permute(0, 3, 2, 1)


def test_a_number_for_each_row_of_columns_in_the_batch_is_doubted_or_one_channel() -> None:
    torch.manual_seed(0)
    proof = crimecast.inspect.look(Columns(), HISTORY).prove()
    last = next(layer for layer in proof.layers if layer.layer == "out")
    doubted = any(check.layer == "out" for check in proof.doubts)
    assert doubted or last.channels == 1


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.near, self.out = nn.Conv2d(7, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.out(torch.relu(self.near(history[:, :, 0])))


def test_inputs_below_zero_are_changed_as_they_are() -> None:
    torch.manual_seed(0)
    centred = (HISTORY - HISTORY.mean()) / HISTORY.std()
    proof = crimecast.inspect.look(Plain(), centred).prove()
    assert proof.proven
    assert proof.layers[-1].field == (1, 1, 1, 1)


class Seasons(Kind):
    """A layer that the calendar alone reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.season = nn.Conv2d(7, 1, 3, padding=1), nn.Linear(4, 120)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        season = self.season(calendar).unflatten(1, (1, 12, 10))
        return self.near(torch.log1p(history).flatten(1, 2)) + season


def test_what_the_calendar_alone_reaches_is_proven_to_see_no_map() -> None:
    torch.manual_seed(0)
    calendar = np.random.default_rng(0).random(4, dtype=np.float32)
    proof = crimecast.inspect.look(Seasons(), HISTORY, calendar).prove()
    assert proof.proven


@pytest.mark.long
def test_looking_does_not_load_the_compiler() -> None:
    code = (
        "import sys, numpy, crimecast.inspect\n"
        "from torch import nn\n"
        "from tests.networks.kinds import Kind\n"
        "class Own(Kind):\n"
        "    def __init__(self):\n"
        "        super().__init__(); self.one = nn.Conv2d(7, 1, 3, padding=1)\n"
        "    def net(self, x): return self.one(x)\n"
        "one = crimecast.inspect.look(Own(), numpy.ones((7, 1, 12, 10), numpy.float32))\n"
        "assert one.prove().proven\n"
        "print('torch._dynamo' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


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
    # The hook before it moves the map round.
    assert {c.check for c in proof.doubts} <= {"hook": {"order"}, "pre-hook": {"field"}}.get(
        how, set()
    )
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


class Area(Kind):
    """A network that works on the cells of the study area alone, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(7, 8), nn.Linear(8, 1)
        area = torch.ones(12, 10, dtype=torch.bool)
        area[0] = False
        self.register_buffer("area", area)

    def net(self, x: Tensor) -> Tensor:
        told = self.out(torch.relu(self.first(x.permute(0, 2, 3, 1)[:, self.area])))
        made = x.new_full((len(x), 12, 10, 1), -6.0)
        made[:, self.area] = told
        return made.permute(0, 3, 1, 2)


def test_channels_of_axes_that_are_not_proven_are_not_told() -> None:
    torch.manual_seed(0)
    layers = {one.layer: one for one in crimecast.inspect.look(Area(), HISTORY).prove().layers}
    assert layers["first"].channels in (8, None)
    assert layers["out"].channels in (1, None)


class Parts(Kind):
    """A layer of which one map in several is shown: steps, of which the first or the last is read; phases that lie
    in the batch; or a map that runs the other way."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.turn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lift, self.out = nn.Linear(1, 8), nn.Linear(8, 1)
        self.near, self.last = nn.Conv2d(7, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        size = len(x), x.shape[2], x.shape[3]
        if self.how in ("first", "last"):
            lags = self.lift(x.permute(0, 2, 3, 1).reshape(-1, 7, 1))
            told = self.turn(lags, lags, lags)[0][:, 0 if self.how == "first" else -1]
            return self.out(told).view(*size, 1).permute(0, 3, 1, 2)
        if self.how == "mirrored":
            return self.last(self.near(x).flip(-1))
        half = size[0], 7, size[1] // 2, 2, size[2] // 2, 2
        phases = x.view(half).permute(0, 3, 5, 1, 2, 4).reshape(-1, 7, half[2], half[4])
        made = self.last(torch.relu(self.near(phases))).view(size[0], 2, 2, 1, half[2], half[4])
        return made.permute(0, 3, 4, 1, 5, 2).reshape(size[0], 1, *size[1:])


@pytest.mark.parametrize(
    ("how", "layer", "shown", "doubted"),
    [
        ("first", "turn", "of its 7 steps the last is shown", True),
        ("last", "turn", "of its 7 steps the last is shown", False),
        ("phases", "near", "of its 4 parts that lie in the batch the last is shown", False),
        ("mirrored", "near", "", False),
        ("mirrored", "last", "its maps run the other way west–east and are shown as the city lies", False),
    ],
)  # fmt: skip
def test_what_of_a_layer_is_shown_is_said(how: str, layer: str, shown: str, doubted: bool) -> None:
    torch.manual_seed(0)
    proof = crimecast.inspect.look(Parts(how), HISTORY).prove()
    assert next(one.shown for one in proof.layers if one.layer == layer) == shown
    doubts = {check.layer for check in proof.doubts if check.check == "several"}
    assert doubts == ({layer} if doubted else set())
