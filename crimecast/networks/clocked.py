"""How long something takes by itself, whatever else the machine does."""

import time
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def clocked(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of the processor that `work` takes on one core, and what it returns. Several threads would wait for
    one another on a busy machine, which counts as work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began = time.thread_time()
        made = work()
        return time.thread_time() - began, made
    finally:
        torch.set_num_threads(threads)
