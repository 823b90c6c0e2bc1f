"""Which elements of its inputs the elements of an operation's output are made from.

A rule takes an operation and, for each of its outputs, which elements are asked for (None: none),
and gives the elements of each input that have a part in them. Where no rule is known all of every
input has, and the operation is named.
"""

from collections.abc import Callable, Iterable

import torch

from crimecast.networks.rules.along import along, fourier, running
from crimecast.networks.rules.masks import Asked, Given, Made, everything
from crimecast.networks.rules.moving import (
    copied,
    embedded,
    gated,
    gathered,
    indexed,
    joined,
    moved,
    nothing,
    scattered,
)
from crimecast.networks.rules.norms import NORMS
from crimecast.networks.rules.pointwise import pointwise
from crimecast.networks.rules.products import (
    attention,
    distances,
    linear,
    matrices,
    matrix_vector,
    trilinear,
)
from crimecast.networks.rules.windows import adaptive, convolved, highest, recurrent, sampled
from crimecast.networks.taped import Op


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
        return everything(op, unknown=False)
    if torch.Tag.pointwise in op.func.tags or name in POINTWISE:
        return Made(pointwise(op, asked))
    if name in REDUCING or name in ALONG:
        return Made(along(op, asked), True)
    if name in MOVING or name.startswith(("upsample", "_upsample")):
        found = moved(op, asked)
        return Made(found) if found is not None else everything(op, unknown=False)
    return everything(op, unknown=True)


_KNOWN: list[tuple[Callable[[Op, Asked], Given | None], Iterable[str]]] = [
    (matrices, ("mm", "bmm", "addmm", "baddbmm")),
    (matrix_vector, ("mv", "addmv")),
    (linear, ("linear",)),
    (convolved, ("convolution",)),
    (highest, ("max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d")),
    (adaptive, ("adaptive_max_pool2d", "adaptive_max_pool3d")),
    (running, ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")),
    (fourier, ("fft_r2c", "fft_c2c", "fft_c2r")),
    (attention, (
        "scaled_dot_product_flash_attention_for_cpu", "scaled_dot_product_efficient_attention",
        "scaled_dot_product_flash_attention", "scaled_dot_product_attention",
        "scaled_dot_product_attention_math", "scaled_dot_product_attention_math_for_mps",
    )),
    (trilinear, ("_trilinear", "trilinear")),
    (distances, ("cdist_forward", "euclidean_dist")),
    (indexed, ("index", "unsafe_index", "index_put", "unsafe_index_put", "index_select", "index_add",
        "index_copy", "index_fill", "index_put_impl", "take")),
    (gathered, ("gather",)),
    (scattered, ("scatter", "scatter_add", "scatter_reduce")),
    (joined, ("cat",)),
    (copied, ("copy",)),
    (nothing, ("zero", "fill", "zeros_like", "ones_like", "full_like", "empty_like", "rand_like",
        "randn_like", "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided",
        "bernoulli", "uniform", "normal")),
    (embedded, ("embedding",)),
    (gated, ("glu",)),
    (sampled, ("grid_sampler_2d", "grid_sampler_3d", "grid_sampler_2d_cpu_fallback")),
    (recurrent, ("mkldnn_rnn_layer",)),
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
