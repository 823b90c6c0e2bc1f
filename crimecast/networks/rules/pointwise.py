"""Operations whose every element depends on the inputs' elements in its place alone."""

from torch import Tensor

from crimecast.networks.rules.masks import Asked, Given, narrowed, together
from crimecast.networks.taped import Constant, Op, Ref


def pointwise(op: Op, asked: Asked) -> Given:
    """What is asked of an operation whose every element depends on the inputs' elements in its place alone."""
    mask, name = together(asked), op.name.rstrip("_")
    if name in ("where", "masked_fill") and (chosen := _chosen(op, name)):
        return [(ref, narrowed(mask & own, ref.shape)) for ref, own in chosen]
    supports = [s for a in op.args if isinstance(a, Constant) and (s := _nonzero(a)) is not None]
    found = []
    for ref in op.inputs:
        own = mask
        if name == "mul":  # by zero
            for support in supports:
                own = own & support
        found.append((ref, narrowed(own, ref.shape)))
    return found


def _nonzero(one: Constant) -> Tensor | None:
    """Where a constant isn't zero, None if it is nowhere or that isn't known."""
    whole = one.values is None or one.values.is_floating_point()
    return one.support if whole or one.values is None else one.values != 0


def _chosen(op: Op, name: str) -> Given:
    """Where each of the tensors that a constant mask chooses between is taken; nothing if no constant chooses."""
    place = 0 if name == "where" else 1
    mask = op.args[place] if len(op.args) > place else None
    if not isinstance(mask, Constant) or mask.values is None:
        return []
    shut = ~mask.values.bool() if name == "where" else mask.values.bool()
    kept, put = op.args[1 - place], op.args[2] if len(op.args) > 2 else None
    pairs = ((kept, ~shut), (put, shut))
    return [(one, own) for one, own in pairs if isinstance(one, Ref)]
