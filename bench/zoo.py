"""Random networks looked into, and what is shown of them held against brute force.

    python bench/zoo.py [--networks 1000] [--first 0] [--json]
    python bench/zoo.py --packages 0/1 > lines.json; python bench/zoo.py --table lines.json

`wrong`: networks of which something was shown wrongly without a mark, which has to be 0: a receptive
field that a change from outside of it reaches, or that is more than a cell too wide; a number of
channels other than the layer's own; activations that aren't those of a plain pass; a gradient other
than Captum's; a forecast without a channel other than with its weights at zero. `marked`: the share of
networks whose forecast's field was withheld as not proven. The peer is a perturbation of every row
and column in double precision (`tests/networks/zoo.py`). With `--packages` ready architectures
(`bench/architectures.py`) instead, their export to ONNX too: equal, or refused in a sentence.
"""

import argparse
import contextlib
import copy
import io
import json
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from captum.attr import Saliency
from torch import Tensor, nn

from crimecast.inspect.notebook import Look
from crimecast.inspect.prove import Proof


def channels_of(module: nn.Module) -> int | None:
    """How many channels one of torch's own layers gives, by its attributes."""
    if not type(module).__module__.startswith("torch.nn"):
        return None
    for name in ("out_channels", "out_features", "num_channels", "num_features", "embed_dim"):
        if isinstance(value := getattr(module, name, None), int):
            return value
    if isinstance(module, nn.LayerNorm) and len(module.normalized_shape) == 1:
        return int(module.normalized_shape[0])
    return int(module.hidden_size) if isinstance(module, nn.RNNBase) else None


def wrong_of(look: Look, proof: Proof, truth: tuple[int, int, int, int] | None) -> list[str]:
    """What is shown wrongly of a network without a mark."""
    found = []
    rows, columns = look.history.shape[-2] // 2, look.history.shape[-1] // 2
    said = proof.layers[-1].field
    if said is not None:
        own = rows - said[0], rows + said[1], columns - said[2], columns + said[3]
        if truth is None:
            found += [f"field {own}, nothing reaches it"] if any(said) else []
        else:
            low = own[0] <= truth[0] and own[2] <= truth[2]
            high = own[1] >= truth[1] and own[3] >= truth[3]
            close = max(abs(a - b) for a, b in zip(own, truth, strict=True)) <= 1
            if not (low and high and close):
                found.append(f"field {own}, by brute force {truth}")
    for layer in proof.layers[:-1]:
        asked = channels_of(look.module(layer.layer))
        if isinstance(look.module(layer.layer), nn.RNNBase):
            continue  # of its steps and features either may be what a cell holds
        if layer.field is not None and asked is not None and asked != layer.channels:
            found.append(f"{layer.layer} has {asked} channels, said {layer.channels}")
    doubted = {(check.check, check.layer) for check in proof.doubts}
    if ("repeats", None) not in doubted:
        found += _activations(look) + _ablation(look)
    if ("gradient", None) not in doubted:
        found += _attribution(look)
    return found


@torch.no_grad()
def _activations(look: Look) -> list[str]:
    """Caught by hooks of torch's own, whose modules are called."""
    plain: dict[str, list[Tensor]] = {}

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            while isinstance(output, tuple | list):
                output = output[0]
            if isinstance(output, Tensor):
                plain.setdefault(name, []).append(output.clone())

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in look.layers.items()
        if not isinstance(module, torch.jit.ScriptModule)
    ]
    before = look.network(*look.example().values())
    for handle in handles:
        handle.remove()
    found = []
    ours = look.activations()
    after = look.network(*look.example().values())
    if not torch.equal(before, after):
        found.append("the forecast changed by looking")
    for name, calls in plain.items():
        for number, x in enumerate(calls, 1):
            label = name if len(calls) == 1 else f"{name}:{number}"
            if label not in ours:
                found.append(f"{label} isn't caught")
                continue
            x = x.abs() if x.is_complex() else x
            held = set(ours[label].ravel().tolist())
            axes = look.axes(label, x.shape)
            # Of steps the last is shown, of what stands before the places nothing.
            part = axes.is_map and (
                axes.steps is not None or axes.before or (axes.folded > 1 and axes.rows)
            )
            every = set(x.float().flatten().tolist())
            if not held <= every or (held != every and not part):
                found.append(f"{label} is caught with other values")
    return found


def _attribution(look: Look) -> list[str]:
    cell = look.history.shape[-2] // 2, look.history.shape[-1] // 2

    def forward(history: Tensor) -> Tensor:
        made: Tensor = look.network(history, look.calendar, look.static)
        return made[:, 0, cell[0], cell[1]]

    try:
        theirs = Saliency(forward).attribute(look.history.clone().requires_grad_(), abs=False)[0]
    except RuntimeError:  # no gradient reaches the inputs, of which Captum makes an error
        theirs = torch.zeros_like(look.history[0])
    ours = torch.from_numpy(look.gradient(cell)["history"])
    size = float(theirs.abs().max()) + 1e-12
    same = bool(((ours - theirs).abs() <= 1e-3 * size).all())
    return [] if same else ["the gradient isn't Captum's"]


@torch.no_grad()
def _ablation(look: Look) -> list[str]:
    for name, module in look.layers.items():
        if type(module) not in (nn.Conv2d, nn.Conv3d, nn.Linear) or name not in look.labels:
            continue
        assert isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear)
        if not look._axes[name].proven:
            continue  # marked
        off = look.without(name, [0])
        kept = copy.deepcopy(module.state_dict())
        module.weight[0] = 0.0
        if module.bias is not None:
            module.bias[0] = 0.0
        zeroed = look.forecast()
        module.load_state_dict(kept)
        scale = abs(zeroed).max() + 1e-9
        if abs(off - zeroed).max() > 1e-4 * scale:
            return [f"{name} without its channel isn't {name} with its weights at zero"]
        return []
    return []


def tried(look: Look, truth_of: Callable[[nn.Module, tuple[int, int]], Any]) -> dict[str, Any]:
    """What is wrong of a network, and what is marked."""
    start = time.perf_counter()
    proof = look.prove()
    seconds = time.perf_counter() - start
    cell = look.history.shape[-2] // 2, look.history.shape[-1] // 2
    truth = truth_of(look.network, cell)
    maps = [one for one in proof.layers[:-1] if one.layer in look.shown]
    return {
        "wrong": wrong_of(look, proof, truth), "field": proof.layers[-1].field, "by brute force": truth,
        "marked": proof.layers[-1].field is None, "layers": len(maps),
        "layers_marked": sum(one.field is None for one in maps), "prove_s": seconds,
        "doubts": [f"{c.check} of {c.layer or 'the network'}: {c.why}" for c in proof.doubts],
        "checks": [c.check for c in proof.doubts],
    }  # fmt: skip


def exported(network: nn.Module) -> str:
    """`equal`, or the sentence by which the export to ONNX is refused."""
    import onnxruntime

    from crimecast import UserError
    from crimecast.forecasting.exporting import INPUTS, write_network

    def batch(size: int) -> tuple[Tensor, Tensor, Tensor]:
        return 3 * torch.rand(size, 4, 1, 32, 32), torch.rand(size, 3), torch.zeros(size, 0, 32, 32)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "one.onnx"
        other = batch(3)
        try:
            write_network(network, batch(2), other, path, {}, "The network")
        except UserError as error:
            return str(error)
        session = onnxruntime.InferenceSession(path.read_bytes())
        known = {entry.name for entry in session.get_inputs()}
        feed = {k: v.numpy() for k, v in zip(INPUTS, other, strict=True) if k in known}
        given = torch.from_numpy(session.run(None, feed)[0])
    with torch.no_grad():
        ours = network(*other)
    size = float(ours.abs().max())
    return "equal" if float((ours - given).abs().max()) < 1e-3 * size + 1e-5 else "DIFFERS"


def of_packages(part: int, parts: int) -> None:
    """Every architecture, one JSON line each; of several processes every one does its part."""
    from bench.architectures import architectures
    from tests.networks.zoo import perturbed

    for number, (name, make) in enumerate(architectures().items()):
        if number % parts != part:
            continue
        torch.manual_seed(0)
        try:
            network = make().eval()
        except Exception as error:
            print(json.dumps({"name": name, "cannot be made": str(error)[:100]}), flush=True)
            continue
        given = 3 * torch.rand(1, 4, 1, 32, 32), torch.rand(1, 3), torch.zeros(1, 0, 32, 32)
        look = Look(network, *given)
        try:
            made = tried(look, lambda net, cell: perturbed(net, [cell], 4, given)[0])  # noqa: B023
            onnx = exported(network)
        except Exception as error:  # to be seen in the table, not to end it
            made = {
                "wrong": [f"{type(error).__name__}: {str(error)[:100]}"],
                "field": None,
                "marked": True,
            }
            made |= {"layers": 0, "layers_marked": 0, "prove_s": 0.0, "doubts": [], "checks": []}
            onnx = "not tried"
        if onnx == "DIFFERS":
            made["wrong"].append("the export to ONNX gives other forecasts")
        print(json.dumps({"name": name, **made, "onnx": onnx}), flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """The architectures as Markdown."""
    made = [line for line in lines if "field" in line]
    marked = sum(line["marked"] for line in made)
    rows = [
        "| architecture | sees (up, down, left, right) | layers, not proven | wrong | ONNX | s |",
        "|---|---|---|---|---|---|",
    ]
    for line in sorted(made, key=lambda line: str(line["name"])):
        field = "not proven" if line["field"] is None else ", ".join(map(str, line["field"]))
        onnx = line["onnx"] if line["onnx"] == "equal" else "refused"
        said = "; ".join(line["wrong"]) or "–"
        rows.append(
            f"| {line['name']} | {field} | {line['layers']}, {line['layers_marked']} | {said} | {onnx} | {line['prove_s']:.1f} |"
        )
    wrong = sum(bool(line["wrong"]) for line in made)
    head = f"{len(made)} architectures: shown wrong without a mark {wrong}, field withheld {marked} ({100 * marked / len(made):.0f} %).\n"
    return head + "\n" + "\n".join(rows) + "\n"


def main() -> None:
    """Try so many networks, or every architecture, and print."""
    from tests.networks.zoo import inputs, perturbed, random_network

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--packages", default="", metavar="PART/PARTS", help="architectures instead"
    )
    parser.add_argument(
        "--table", nargs="+", type=Path, help="Markdown of the lines in these files"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # the networks are tiny
    if options.table:
        text = "".join(path.read_text() for path in options.table)
        print(table([json.loads(line) for line in text.splitlines() if line.startswith("{")]))
        return
    if options.packages:
        part, parts = map(int, options.packages.split("/"))
        of_packages(part, parts)
        return
    began = time.perf_counter()
    wrong: list[dict[str, Any]] = []
    marked: list[dict[str, Any]] = []
    checks: Counter[str] = Counter()
    layers = withheld = 0
    seconds = 0.0
    for seed in range(options.first, options.first + options.networks):
        network = random_network(seed)
        made = tried(Look(network, *inputs()), lambda net, cell: perturbed(net, [cell], 3)[0])
        about = {"seed": seed, "blocks": network.names}
        if made["wrong"]:
            wrong.append({**about, "wrong": made["wrong"]})
        if made["marked"]:
            marked.append({**about, "doubts": made["doubts"]})
        checks.update(made["checks"])
        layers, withheld = layers + made["layers"], withheld + made["layers_marked"]
        seconds += made["prove_s"]
    document = {
        "networks": options.networks, "first": options.first, "wrong": len(wrong), "marked": round(len(marked) / options.networks, 4),
        "layers": layers, "layers_marked": round(withheld / max(1, layers), 4),
        "prove_s": round(seconds / options.networks, 3), "seconds": round(time.perf_counter() - began, 1),
        "doubts": dict(checks), "wrongly": wrong[:20], "withheld": marked[:20],
    }  # fmt: skip
    print(json.dumps(document, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
