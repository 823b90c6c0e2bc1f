"""Which elements of its inputs the elements of an operation's output are made from.

A rule takes an operation and, for each of its outputs, which elements are asked for (None: none),
and gives the elements of each input that have a part in them. Where no rule is known all of every
input has, and the operation is named.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from crimecast.networks.tape import Constant, Op, Ref

Asked = list[Tensor | None]
Given = list[tuple[Ref, Tensor]]


@dataclass(frozen=True)
class Made:
    """The elements that have a part, how the operation mixes them (`unknown`: no rule says so, so all
    of them), and whether the statistics of a normalisation were left out."""

    parts: Given
    mixing: bool = False
    unknown: bool = False
    statistics: bool = False


def made_from(op: Op, asked: Asked, statistics: bool) -> Made:
    """What an operation's output is made from. Without `statistics` those that a normalisation takes
    over the map don't count."""
    name = op.name if op.name.startswith("__") else op.name.rstrip("_")
    name = name.removeprefix("_") if name.startswith("_") and name[1:] in RULES else name
    if name in NORMS:
        return NORMS[name](op, asked, statistics)
    if name in RULES:
        given = RULES[name](op, asked)
        if given is not None:
            return Made(given, name not in STILL)
        return _everything(op, unknown=False)
    if torch.Tag.pointwise in op.func.tags or name in POINTWISE:
        return Made(pointwise(op, asked))
    if name in REDUCING or name in ALONG:
        return Made(_along(op, asked), True)
    if name in MOVING or name.startswith(("upsample", "_upsample")):
        moved = _moved(op, asked)
        return Made(moved) if moved is not None else _everything(op, unknown=False)
    return _everything(op, unknown=True)


def _everything(op: Op, unknown: bool) -> Made:
    return Made([(ref, _full(ref)) for ref in op.inputs], True, unknown)


def _full(ref: Ref) -> Tensor:
    return torch.ones(ref.shape, dtype=torch.bool)


def _any(asked: Asked) -> Tensor:
    """The outputs asked for together, where they have one shape."""
    there = [mask for mask in asked if mask is not None]
    return torch.stack(there).any(0) if len({m.shape for m in there}) == 1 else there[0]


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, Ref | Constant) else ()


def narrowed(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A mask of what was broadcast, on what it was broadcast from."""
    if mask.dim() > len(shape):
        mask = mask.flatten(0, mask.dim() - len(shape) - 1).any(0) if shape else mask.any()
        if not shape:
            return mask
    for axis, size in enumerate(shape):
        if size == 1 and mask.shape[axis] > 1:
            mask = mask.any(axis, keepdim=True)
    return mask


def pointwise(op: Op, asked: Asked) -> Given:
    """What is asked of an operation whose every element depends on the inputs' elements in its place alone."""
    mask, name = _any(asked), op.name.rstrip("_")
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


# Along axes


def _axes(op: Op, dims: int) -> list[int]:
    dim = op.argument("dim", op.argument("axis"))
    several = isinstance(dim, tuple | list)
    if dim is None or (several and not dim) or isinstance(dim, str):
        return list(range(dims))
    return [d % max(dims, 1) for d in (dim if several else (dim,))]


def _along(op: Op, asked: Asked) -> Given:
    """Each output element from all elements along some axes, which may be gone from the output."""
    (ref,) = op.inputs[:1]
    axes = [0] if op.name == "msort" else _axes(op, len(ref.shape))
    found = torch.zeros(ref.shape, dtype=torch.bool)
    shut = op.shut.get(0)
    for mask in asked:
        if mask is None:
            continue
        if shut is not None:
            mask = mask & ~shut
        if mask.dim() == len(ref.shape):
            mask = mask.any(axes, keepdim=True) if axes else mask
        else:
            for axis in sorted(axes):
                mask = mask.unsqueeze(axis)
        wide = mask.expand(ref.shape)
        found = found | (wide & ~shut if shut is not None else wide)
    return [(ref, found)]


def _running(op: Op, asked: Asked) -> Given:
    """Each from itself and those before it."""
    (ref,) = op.inputs[:1]
    if not ref.shape:
        return [(ref, _any(asked))]
    axis = op.argument("dim") % len(ref.shape)
    return [(ref, _any(asked).flip(axis).cumsum(axis).flip(axis) > 0)]


def _fourier(op: Op, asked: Asked) -> Given:
    (ref,), mask = op.inputs, _any(asked)
    axes = [d % len(ref.shape) for d in op.argument("dim")]
    return [(ref, mask.any(axes, keepdim=True).expand(ref.shape))]


# Moved, or summed with fixed positive weights


def _moved(op: Op, asked: Asked) -> Given | None:
    """By the gradient of the operation itself, which is linear in what it moves. None where what it
    reads says what is moved."""
    refs: list[Ref] = []
    stands: list[Tensor] = []

    def stand_in(value: Any) -> Any:
        if isinstance(value, Ref):
            refs.append(value)
            stands.append(torch.zeros(value.shape, requires_grad=True))
            return stands[-1]
        if isinstance(value, Constant):
            return torch.zeros(value.shape) if value.values is None else value.values
        if isinstance(value, tuple):
            return [stand_in(part) for part in value]
        return value

    func = _out_of_place(op)
    try:
        with torch.enable_grad():
            kwargs = {k: stand_in(v) for k, v in op.kwargs.items() if k not in _FACTORY}
            made = func(*[stand_in(value) for value in op.args], **kwargs)
            made = [made] if isinstance(made, Tensor) else list(made)
            total = torch.zeros(())
            for out, mask in zip(made, asked, strict=False):
                if mask is not None and out.requires_grad:
                    # Weights at random: what is added with both signs doesn't cancel.
                    total = total + (out * mask * (0.5 + torch.rand(out.shape))).sum()
            if not total.requires_grad:
                return []
            gradients = torch.autograd.grad(total, stands, allow_unused=True)
    except (RuntimeError, IndexError, TypeError):
        return None
    return [(r, g != 0) for r, g in zip(refs, gradients, strict=True) if g is not None]


_FACTORY = {"dtype", "layout", "device", "pin_memory", "memory_format", "out"}


def _out_of_place(op: Op) -> Any:
    if not op.func._schema.is_mutable:
        return op.func
    packet = getattr(torch.ops.aten, op.name.rstrip("_"))
    overload = op.func._overloadname
    return getattr(packet, overload if overload in packet.overloads() else "default")


def _joined(op: Op, asked: Asked) -> Given:
    """Each part of what was joined along an axis."""
    mask, parts = _any(asked), op.args[0]
    axis = op.argument("dim", 0)
    shapes = [_shape(part) for part in parts]
    if any(shape == (0,) for shape in shapes) and mask.dim() > 1:  # torch takes these for nothing
        parts = [part for part in parts if _shape(part) != (0,)]
    found: Given = []
    first = 0
    for part in parts:
        size = _shape(part)[axis]
        if isinstance(part, Ref):
            found.append((part, mask.narrow(axis, first, size)))
        first += size
    return found


def _indexed(op: Op, asked: Asked) -> Given | None:
    """By an index that is known; else anything may have been chosen."""
    indices = op.argument("indices", op.argument("index"))
    if any(isinstance(i, Ref) for i in (indices if isinstance(indices, tuple) else (indices,))):
        return _where(op, indices, asked) if "put" in op.name else None
    return _moved(op, asked)


def _where(op: Op, indices: Any, asked: Asked) -> Given | None:
    """`x[x > 0] = value` for a mask of the places of x and one value: each element by what stands in its place."""
    chosen, source, values = indices[0], op.argument("self"), op.argument("values")
    own = _shape(source)
    if len(indices) > 1 or not isinstance(chosen, Ref) or chosen.item != 1:
        return None
    if chosen.shape != own[: len(chosen.shape)] or math.prod(_shape(values)) != 1:
        return None
    mask = _any(asked)
    found: Given = [(source, mask)] if isinstance(source, Ref) else []
    found.append(
        (chosen, mask.flatten(len(chosen.shape)).any(-1) if len(chosen.shape) < len(own) else mask)
    )
    if isinstance(values, Ref):
        found.append((values, mask.any().expand(values.shape)))
    return found


def _gather(op: Op, asked: Asked) -> Given | None:
    index, source = op.argument("index"), op.argument("self")
    if not isinstance(index, Ref):
        return _moved(op, asked)
    mask, axis = _any(asked), op.argument("dim") % max(1, len(index.shape))
    found = [(index, mask)]
    if isinstance(source, Ref):
        wide = torch.zeros(source.shape, dtype=torch.bool)
        chosen = tuple(
            slice(None) if a == axis else slice(0, size) for a, size in enumerate(index.shape)
        )
        wide[chosen] = mask.any(axis, keepdim=True)
        found.append((source, wide))
    return found


def _scatter(op: Op, asked: Asked) -> Given | None:
    index = op.argument("index")
    if not isinstance(index, Ref):
        return _moved(op, asked)
    mask, axis = _any(asked), op.argument("dim") % max(1, len(index.shape))
    # The index may be longer than what it is put into, along its axis alone, and shorter everywhere.
    other = mask.any(axis, keepdim=True)[
        tuple(slice(None) if a == axis else slice(0, size) for a, size in enumerate(index.shape))
    ]
    moved = other.expand(index.shape)
    found = [(index, moved)]
    for name in ("self", "src"):
        own = op.argument(name)
        if isinstance(own, Ref) and name == "self":
            found.append((own, mask))
        elif isinstance(own, Ref):
            wide = torch.zeros(own.shape, dtype=torch.bool)
            wide[tuple(slice(0, size) for size in index.shape)] = moved
            found.append((own, wide))
    return found


def _copied(op: Op, asked: Asked) -> Given:
    """What is copied over something leaves nothing of it."""
    source = op.argument("src", op.argument("source"))
    return [(source, narrowed(_any(asked), source.shape))] if isinstance(source, Ref) else []


def _nothing(_op: Op, _asked: Asked) -> Given:
    return []


def _embedded(op: Op, asked: Asked) -> Given | None:
    indices = op.argument("indices")
    if not isinstance(indices, Ref) or isinstance(op.argument("weight"), Ref):
        return None
    return [(indices, _any(asked).any(-1))]


def _glu(op: Op, asked: Asked) -> Given:
    (ref,), mask = op.inputs, _any(asked)
    return [(ref, torch.cat([mask, mask], op.argument("dim", -1)))]


# Products


def _support(value: Any) -> Tensor | None:
    return value.support if isinstance(value, Constant) else None


def _product(left: Any, right: Any, mask: Tensor, shut: dict[int, Tensor]) -> Given:
    """left (…, i, j) times right (…, j, k), of which mask (…, i, k) is asked."""
    open_left = ~shut[0] if 0 in shut else _support(left)
    open_right = ~shut[1] if 1 in shut else _support(right)
    found = []
    if isinstance(left, Ref):
        if open_right is None:
            part = mask.any(-1, keepdim=True).expand(left.shape)
        else:
            part = mask.float() @ open_right.float().transpose(-1, -2) > 0
        found.append((left, part if 0 not in shut else part & ~shut[0]))
    if isinstance(right, Ref):
        if open_left is None:
            part = mask.any(-2, keepdim=True).expand(right.shape)
        else:
            part = open_left.float().transpose(-1, -2) @ mask.float() > 0
        found.append((right, part if 1 not in shut else part & ~shut[1]))
    return found


def _mm(op: Op, asked: Asked) -> Given:
    added = op.args[0] if op.name.startswith(("addmm", "baddbmm")) else None
    left, right = op.args[1:3] if added is not None else op.args[:2]
    mask = _any(asked)
    found = _product(left, right, mask, op.shut)
    if isinstance(added, Ref):
        found.append((added, narrowed(mask, added.shape)))
    return found


def _mv(op: Op, asked: Asked) -> Given:
    added = op.args[0] if op.name.startswith("addmv") else None
    matrix, vector = op.args[1:3] if added is not None else op.args[:2]
    mask = _any(asked)
    found: Given = []
    if isinstance(matrix, Ref):
        found.append((matrix, mask[:, None].expand(matrix.shape)))
    if isinstance(vector, Ref):
        found.append((vector, mask.any().expand(vector.shape)))
    if isinstance(added, Ref):
        found.append((added, narrowed(mask, added.shape)))
    return found


def _linear(op: Op, asked: Asked) -> Given:
    source, weight, bias = op.argument("input"), op.argument("weight"), op.argument("bias")
    mask = _any(asked)
    found: Given = []
    if isinstance(source, Ref):
        found.append((source, mask.any(-1, keepdim=True).expand(source.shape)))
    for other in (weight, bias):
        if isinstance(other, Ref):
            found.append((other, mask.any().expand(other.shape)))
    return found


SHUT = -1e4


def _attention(op: Op, asked: Asked) -> Given:
    """softmax(q kᵀ) v: (…, L, S) of it where nothing masks."""
    query, key, value = op.args[:3]
    mask, bias = asked[0], op.argument("attn_mask", op.argument("attn_bias"))
    if mask is None:
        return []
    asks = mask.any(-1)  # (…, L)
    length, sources = _shape(query)[-2], _shape(key)[-2]
    open_ = torch.ones(length, sources, dtype=torch.bool)
    if op.argument("is_causal", False):
        open_ = open_.tril()
    if isinstance(bias, Constant) and bias.values is not None:
        shut = bias.values.dtype != torch.bool  # added to the scores: so low that nothing is left
        open_ = open_ & (bias.values > SHUT if shut else bias.values)
    looks = (asks[..., None] & open_).any(-2)  # (…, S)
    found: Given = []
    for own, seen in ((query, asks), (key, looks), (value, looks)):
        if isinstance(own, Ref):
            wide = seen[..., None].expand(*seen.shape, own.shape[-1])
            found.append((own, narrowed(wide, own.shape)))
    if isinstance(bias, Ref):
        found.append((bias, narrowed(asks[..., None].expand(*asks.shape, sources), bias.shape)))
    return found


def _trilinear(op: Op, asked: Asked) -> Given | None:
    """Features of two tensors (N, p) and (N, q) against a weight, as nn.Bilinear asks for it."""
    if [list(part) for part in op.args[3:7]] != [[1, 3], [0], [1, 2], [2, 3]]:
        return None
    some = _any(asked).any(-1, keepdim=True)
    return [
        (own, some.expand(own.shape)) for own in (op.args[0], op.args[2]) if isinstance(own, Ref)
    ]


def _distances(op: Op, asked: Asked) -> Given:
    mask = _any(asked)
    found: Given = []
    for own, axis in zip(op.args[:2], (-1, -2), strict=True):
        if isinstance(own, Ref):
            seen = mask.any(axis)[..., None]
            found.append((own, narrowed(seen.expand(*seen.shape[:-1], own.shape[-1]), own.shape)))
    return found


# Over the map


def _convolved(op: Op, asked: Asked) -> Given:
    source, weight, bias, stride, pad, dilation, transposed, extra, groups = op.args[:9]
    mask = _any(asked)
    found: Given = []
    if isinstance(source, Ref):
        dims = len(source.shape) - 2
        batch, channels = source.shape[:2]
        shared = mask.unflatten(1, (groups, -1)).any(2).flatten(0, 1)[:, None].float()
        kernel = torch.ones(1, 1, *_shape(weight)[2:])
        own = _support(weight)
        if own is not None:
            kernel = own.flatten(0, 1).any(0).float()[None, None]
        part = _gradient(
            lambda x: torch.ops.aten.convolution(
                x, kernel, None, list(stride), list(pad), list(dilation), transposed, list(extra), 1
            ),
            (batch * groups, 1, *source.shape[2:]),
            shared,
        )
        part = part.unflatten(0, (batch, groups))
        wide = part.expand(batch, groups, channels // groups, *([-1] * dims))
        found.append((source, wide.reshape(source.shape)))
    for other in (weight, bias):
        if isinstance(other, Ref):
            found.append((other, mask.any().expand(other.shape)))
    return found


def _gradient(func: Callable[[Tensor], Tensor], shape: tuple[int, ...], mask: Tensor) -> Tensor:
    with torch.enable_grad():
        x = torch.zeros(shape, requires_grad=True)
        (gradient,) = torch.autograd.grad(func(x), x, mask)
    return gradient > 0


def _highest(op: Op, asked: Asked) -> Given:
    """The highest of each window: any of it."""
    (ref,), mask = op.inputs, _any(asked)
    dims = len(op.argument("kernel_size"))
    kernel = op.argument("kernel_size")
    stride = op.argument("stride") or kernel
    pad, dilation = op.argument("padding"), op.argument("dilation")

    def of(values: Any, axis: int) -> int:
        return int(values[axis] if len(values) > 1 else values[0])

    steps = [of(stride, a) for a in range(dims)]
    spans = [of(dilation, a) * (of(kernel, a) - 1) + 1 for a in range(dims)]
    sizes, outs = ref.shape[-dims:], mask.shape[-dims:]
    # Enough room at the end for windows that are only partly filled.
    ends = [
        max(0, (o - 1) * s + k - n - of(pad, a))
        for a, (o, s, k, n) in enumerate(zip(outs, steps, spans, sizes, strict=True))
    ]
    room = [p for a in reversed(range(dims)) for p in (of(pad, a), ends[a])]
    window = torch.ones(1, 1, *(of(kernel, a) for a in range(dims)))
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 1]

    def over(x: Tensor) -> Tensor:
        made = convolve(
            functional.pad(x, room), window, stride=steps,
            dilation=[of(dilation, a) for a in range(dims)],
        )  # fmt: skip
        for axis, out in enumerate(outs):
            made = made.narrow(axis - dims, 0, out)
        return made

    count = math.prod(ref.shape[:-dims])
    part = _gradient(over, (count, 1, *sizes), mask.reshape(count, 1, *outs).float())
    return [(ref, part.reshape(ref.shape))]


def _adaptive(op: Op, asked: Asked) -> Given:
    (ref,), mask = op.inputs, _any(asked)
    size = list(op.argument("output_size"))
    pool: Any = {2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}[len(size)]
    return [(ref, _gradient(lambda x: pool(x, size), ref.shape, mask.float()))]


def _sampled(op: Op, asked: Asked) -> Given | None:
    return None if isinstance(op.argument("grid"), Ref) else _moved(op, asked)


def _recurrent(op: Op, asked: Asked) -> Given:
    """(T, N, C): each of N by itself, each step from those before it (or after it)."""
    source = op.args[0]
    asks = torch.zeros(source.shape[:2], dtype=torch.bool)
    if asked[0] is not None:
        asks |= asked[0].any(-1)
    last = 0 if op.argument("reverse") else -1
    for mask in asked[1:]:  # final states (N, H) or (1, N, H), each of its own sequence's last step
        if mask is not None and mask.dim() > 1 and mask.shape[-2] == asks.shape[1]:
            asks[last] |= mask.any(-1).reshape(-1, asks.shape[1]).any(0)
        elif mask is not None and mask.any():
            asks |= True
    order = (lambda x: x) if op.argument("reverse") else (lambda x: x.flip(0))
    seen = order(order(asks).cumsum(0) > 0)
    found = [(source, seen[..., None].expand(source.shape))]
    found += [(ref, _full(ref)) for ref in op.inputs if ref is not source]
    return found


# Normalisations


def _group_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    source, groups = op.args[0], op.argument("group")
    mask = _any(asked[:1])
    if not isinstance(source, Ref):
        return _everything(op, unknown=False)
    apart = mask.reshape(source.shape).unflatten(1, (groups, -1))
    axes = list(range(2, apart.dim())) if statistics else [2]
    part = apart.any(axes, keepdim=True).expand(apart.shape).reshape(source.shape)
    return Made([(source, part)], statistics, False, not statistics)


def _batch_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    source, training = op.args[0], op.argument("training", op.name == "_native_batch_norm_legit")
    mask = asked[0]
    if not isinstance(source, Ref) or mask is None:
        return _everything(op, unknown=False)
    if not training or "no_training" in op.name:
        return Made([(source, mask)])
    if not statistics:
        return Made([(source, mask)], statistics=True)
    axes = [a for a in range(mask.dim()) if a != 1]
    return Made([(source, mask.any(axes, keepdim=True).expand(mask.shape))], True)


def _layer_norm(op: Op, asked: Asked, statistics: bool) -> Made:
    source, over = op.args[0], len(op.argument("normalized_shape"))
    mask = asked[0]
    if not isinstance(source, Ref) or mask is None:
        return _everything(op, unknown=False)
    if over > 1 and not statistics:
        return Made([(source, mask)], statistics=True)
    axes = list(range(-over, 0))
    return Made([(source, mask.any(axes, keepdim=True).expand(mask.shape))], over > 1)


NORMS: dict[str, Callable[[Op, Asked, bool], Made]] = {
    "native_group_norm": _group_norm,
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "native_layer_norm": _layer_norm,
    "_fused_rms_norm": _layer_norm,
}
_KNOWN: list[tuple[Callable[[Op, Asked], Given | None], Iterable[str]]] = [
    (_mm, ("mm", "bmm", "addmm", "baddbmm")),
    (_mv, ("mv", "addmv")),
    (_linear, ("linear",)),
    (_convolved, ("convolution",)),
    (_highest, ("max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d")),
    (_adaptive, ("adaptive_max_pool2d", "adaptive_max_pool3d")),
    (_running, ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")),
    (_fourier, ("fft_r2c", "fft_c2c", "fft_c2r")),
    (_attention, (
        "scaled_dot_product_flash_attention_for_cpu", "scaled_dot_product_efficient_attention",
        "scaled_dot_product_flash_attention", "scaled_dot_product_attention",
        "scaled_dot_product_attention_math", "scaled_dot_product_attention_math_for_mps",
    )),
    (_trilinear, ("_trilinear", "trilinear")),
    (_distances, ("cdist_forward", "euclidean_dist")),
    (_indexed, ("index", "unsafe_index", "index_put", "unsafe_index_put", "index_select", "index_add",
        "index_copy", "index_fill", "index_put_impl", "take")),
    (_gather, ("gather",)),
    (_scatter, ("scatter", "scatter_add", "scatter_reduce")),
    (_joined, ("cat",)),
    (_copied, ("copy",)),
    (_nothing, ("zero", "fill", "zeros_like", "ones_like", "full_like", "empty_like", "rand_like",
        "randn_like", "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided",
        "bernoulli", "uniform", "normal")),
    (_embedded, ("embedding",)),
    (_glu, ("glu",)),
    (_sampled, ("grid_sampler_2d", "grid_sampler_3d", "grid_sampler_2d_cpu_fallback")),
    (_recurrent, ("mkldnn_rnn_layer",)),
]  # fmt: skip
RULES = {name: rule for rule, names in _KNOWN for name in names}
# Of those, the ones that mix no more of a map than a window or an index says.
STILL = {
    "convolution", "max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d",
    "cat", "copy", "zero", "fill", "embedding", "glu", "index", "unsafe_index", "index_put", "index_select",
}  # fmt: skip
POINTWISE = {
    "clone", "_to_copy", "contiguous", "alias", "detach", "dropout", "native_dropout", "where",
    "masked_fill", "_prelu_kernel", "prelu", "rrelu_with_noise", "nan_to_num", "lift_fresh", "hardtanh",
    "bucketize", "searchsorted", "_conj_physical", "complex", "polar", "view_as_real_copy",
    "view_as_complex_copy", "fake_quantize_per_tensor_affine", "_unsafe_masked_index", "hardswish", "mish",
    "threshold", "log_sigmoid_forward", "abs", "floor_divide", "rsub", "xlogy", "gcd", "lcm",
}  # fmt: skip
REDUCING = {
    "sum", "mean", "amax", "amin", "max", "min", "aminmax", "argmax", "argmin", "any", "all", "prod",
    "var", "std", "var_mean", "std_mean", "logsumexp", "norm", "linalg_vector_norm", "median",
    "nanmedian", "nansum", "nanmean", "kthvalue", "mode", "count_nonzero",
}  # fmt: skip
ALONG = {
    "_softmax", "_log_softmax", "softmax", "log_softmax", "_safe_softmax", "sort", "argsort", "msort",
    "topk", "linalg_cross",
}  # fmt: skip
MOVING = {
    "stack", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
    "replication_pad1d", "replication_pad2d", "replication_pad3d", "roll", "flip", "rot90", "repeat",
    "tile", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "im2col",
    "col2im", "tril", "triu", "diag_embed", "diagonal_copy", "trace", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "adaptive_avg_pool1d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d",
    "select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter", "unfold_copy",
    "block_diag", "expand_copy", "permute_copy", "slice_copy", "select_copy", "view_copy",
    "transpose_copy", "unsqueeze_copy", "squeeze_copy", "split_copy", "split_with_sizes_copy",
    "unbind_copy", "repeat_interleave", "view", "_reshape_copy", "select_backward", "slice_backward",
    "_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk",
}  # fmt: skip
