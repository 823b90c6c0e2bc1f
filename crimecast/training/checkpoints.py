"""Checkpoints: safetensors with a JSON note in the header, so nothing that is loaded can run code."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crimecast import UserError
from crimecast.storage.forms import formed
from crimecast.storage.store import replacing

KEPT = 12  # checkpoints over time


def save(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Write tensors and a note atomically, with a digest of the values."""
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = {"note": json.dumps(note), "digest": _digest(ready)}
    with replacing(path) as temporary:
        save_file(ready, temporary, metadata=metadata)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and the note. Raises UserError if the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            note = formed(dict[str, Any], json.loads(metadata["note"]), path.name)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata["digest"] != _digest(tensors):
            raise ValueError("the values are not those that were written")
        return tensors, note
    except (
        OSError,
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        RuntimeError,
    ):
        raise UserError(f"The checkpoint {path.name} is missing or damaged.") from None


def _digest(tensors: dict[str, Tensor]) -> str:
    made = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        made.update(name.encode())
        made.update(tensors[name].flatten().view(torch.uint8).numpy().tobytes())
    return made.hexdigest()


def save_in_turn(
    last: Path, before: Path, tensors: dict[str, Tensor], note: dict[str, Any]
) -> None:
    """Write `last`, keeping the one that it replaces as `before`."""
    if last.exists():
        os.replace(last, before)
    save(last, tensors, note)


def load_latest(last: Path, before: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The latest of the two that is whole; None if neither is."""
    for path in (last, before):
        try:
            return load(path)
        except UserError:
            continue
    return None


def thin(folder: Path, phase: str) -> None:
    """Of the checkpoints over time keep the first, the latest, and about KEPT between: whenever they
    are too many, every second one goes."""
    paths = sorted(folder.glob(f"{phase}.epoch-*.safetensors"))
    stride = 1
    while epoch_of(paths[-1]) / stride > KEPT:
        stride *= 2
    for path in paths[1:-1]:
        if epoch_of(path) % stride:
            path.unlink()


def epoch_of(path: Path) -> int:
    """The epoch that a checkpoint over time was made after."""
    return int(path.name.split("epoch-")[1].split(".")[0])


def checkpoint_path(folder: Path, epoch: int) -> Path:
    """The file of a run's checkpoint over time."""
    return folder / "checkpoints" / f"fit.epoch-{epoch:05d}.safetensors"


def epochs_kept(folder: Path) -> list[int]:
    """The epochs of which a run's folder keeps a checkpoint, in order."""
    return sorted(
        epoch_of(path) for path in (folder / "checkpoints").glob("fit.epoch-*.safetensors")
    )


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
