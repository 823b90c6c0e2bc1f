"""Checkpoints: safetensors with a JSON note in the header, so nothing that is loaded can run code."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crimecast.errors import UserError
from crimecast.store import replacing


def save(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Write tensors and a note atomically."""
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(ready, temporary, metadata={"note": json.dumps(note)})


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and the note. Raises UserError if the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads(file.metadata()["note"])
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError):
        raise UserError(f"The checkpoint {path.name} is missing or damaged.") from None


def network_state(network: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers, under `model.`."""
    return {f"model.{name}": value for name, value in network.state_dict().items()}


def load_network(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put stored weights into a network. Raises UserError if they are another network's."""
    state = {name[6:]: value for name, value in tensors.items() if name.startswith("model.")}
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise UserError("The checkpoint belongs to another network than the run's spec.") from None


def optimiser_state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments and counters of every parameter, under `optimiser.<number>.<name>`."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{number}.{key}": torch.as_tensor(value)
        for number, entry in state.items()
        for key, value in entry.items()
    }


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put stored moments back."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = value
    current = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": current["param_groups"]})
