"""Normalisations, with the statistics that they take over the map or without."""

from collections.abc import Callable

from crimecast.networks.rules.masks import Asked, Made, everything, together
from crimecast.networks.taped import Op, Ref


def group_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    """Over the channels of a group, and the map."""
    source, groups = op.args[0], op.argument("group")
    mask = together(asked[:1])
    if not isinstance(source, Ref):
        return everything(op, unknown=False)
    apart = mask.reshape(source.shape).unflatten(1, (groups, -1))
    axes = list(range(2, apart.dim())) if statistics else [2]
    part = apart.any(axes, keepdim=True).expand(apart.shape).reshape(source.shape)
    return Made([(source, part)], statistics, False, not statistics)


def batch_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    """Over samples and map of each channel, in training."""
    source, training = op.args[0], op.argument("training", op.name == "_native_batch_norm_legit")
    mask = asked[0]
    if not isinstance(source, Ref) or mask is None:
        return everything(op, unknown=False)
    if not training or "no_training" in op.name:
        return Made([(source, mask)])
    if not statistics:
        return Made([(source, mask)], statistics=True)
    axes = [a for a in range(mask.dim()) if a != 1]
    return Made([(source, mask.any(axes, keepdim=True).expand(mask.shape))], True)


def layer_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    """Over the last axes."""
    source, over = op.args[0], len(op.argument("normalized_shape"))
    mask = asked[0]
    if not isinstance(source, Ref) or mask is None:
        return everything(op, unknown=False)
    if over > 1 and not statistics:
        return Made([(source, mask)], statistics=True)
    axes = list(range(-over, 0))
    return Made([(source, mask.any(axes, keepdim=True).expand(mask.shape))], over > 1)


NORMS: dict[str, Callable[[Op, Asked, bool], Made]] = {
    "native_group_norm": group_norm,
    "native_batch_norm": batch_norm,
    "_native_batch_norm_legit": batch_norm,
    "_native_batch_norm_legit_no_training": batch_norm,
    "native_layer_norm": layer_norm,
    "_fused_rms_norm": layer_norm,
}
