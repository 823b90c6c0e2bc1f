"""What a softmax is kept from: scores that a mask shuts, as masks of storages."""

import torch
from torch import Tensor

LOW, SCORE = -80.0, 20.0  # what shuts a score, and what only shifts it
MASK = -1e8  # a score as low as that was put there by a mask


def spread(tensor: Tensor, mask: Tensor) -> Tensor:
    """A mask of a tensor's elements as one of its storage's."""
    size = tensor.untyped_storage().nbytes() // tensor.element_size()
    whole = torch.zeros(size, dtype=torch.bool)
    window(whole, tensor).copy_(mask.expand(tensor.shape))
    return whole


def window(whole: Tensor, tensor: Tensor) -> Tensor:
    """What a mask of a storage says of a tensor in it."""
    return whole.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())


def is_mask(added: Tensor) -> bool:
    """Whether a constant that is added to scores shuts some of them and leaves the others, as −100 does: a softmax gives
    them less than 1e-26 of the rest, unless scores differ by as much."""
    if not added.is_floating_point() or not added.numel():
        return False
    low = added <= LOW
    return bool(low.any()) and bool((low | (added.abs() <= SCORE)).all())


def masked(scores: Tensor, axis: int) -> Tensor:
    """Where a softmax along an axis is exactly zero by a mask: −∞, or so far below a score that counts."""
    highest = scores.amax(axis, keepdim=True) if scores.numel() else scores
    return (scores == -torch.inf) | ((scores < MASK) & (highest > 0.1 * MASK))
