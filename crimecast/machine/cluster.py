"""A Ray cluster to work on, where there is one: connecting to it, and mapping work over it.

Every node has to see the same data folder and the same installation, as on a shared disk.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from crimecast import UserError
from crimecast.machine.slots import WAITING
from crimecast.storage.store import PACKAGE, data_root

T = TypeVar("T")
R = TypeVar("R")


def address_asked(executor: str | None, address: str | None) -> str:
    """The cluster's address for `--executor` and `--address`, "" for this machine.

    Without either, what CRIMECAST_RAY_ADDRESS says. Raises UserError where they contradict.
    """
    if address and executor != "ray":
        raise UserError("--address is a Ray cluster's; it needs --executor ray.")
    if executor == "local":
        return ""
    setting = address or os.environ.get("CRIMECAST_RAY_ADDRESS", "")
    return setting or ("auto" if executor == "ray" else "")


def connect(address: str) -> Any:
    """The ray module, connected to the cluster at `address` (`auto`: the one on this machine).

    Raises UserError if Ray isn't installed or there is no such cluster.
    """
    try:
        import ray
    except ImportError:
        raise UserError("Ray is not installed here: pip install -r requirements-ray.txt.") from None
    if ray.is_initialized():
        return ray
    _knock(address)
    environment = {
        "CRIMECAST_DATA": str(data_root()),
        "PYTHONPATH": os.pathsep.join(
            [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        **WAITING,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    try:
        ray.init(
            address=address, log_to_driver=False, logging_level=logging.ERROR,
            runtime_env={"env_vars": environment},
        )  # fmt: skip
    except Exception as error:  # Ray has many ways to say that nobody answers
        raise _nobody(address, error) from None
    return ray


def _nobody(address: str, error: Exception) -> UserError:
    """What to say where no cluster answers."""
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UserError(
        f"No Ray cluster answers at '{address}' ({why}); start one with `ray start --head`."
    )


def _knock(address: str) -> None:
    """Raise UserError where nobody listens: Ray itself would wait for two minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # `auto`, which Ray looks up by itself
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError, ValueError) as error:  # a port may be any number
        raise _nobody(address, error) from None


def capacity(address: str) -> int:
    """How many one-worker runs a cluster takes at once: its GPUs, or without any its CPUs."""
    total = connect(address).cluster_resources()
    return max(1, int(total.get("GPU", 0)) or int(total.get("CPU", 0)))


def map_over(address: str, work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
    """`work` of every part, one CPU each; a part whose node dies is done again on another."""
    ray = connect(address)
    task = ray.remote(num_cpus=1, max_retries=5)(work)
    return ray.get([task.remote(part) for part in parts])
