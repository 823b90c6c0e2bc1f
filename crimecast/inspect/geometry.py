"""Which indices of its input each output of a convolution, a pooling or a resizing is made from."""

from typing import Any

import numpy as np


def argument(args: Any, kwargs: Any, place: int, name: str, default: Any) -> Any:
    """An argument given by place or by name."""
    return kwargs.get(name, args[place] if len(args) > place else default)


def taps_along(
    name: str, args: Any, kwargs: Any, along: int, size: int, outputs: int
) -> np.ndarray:
    """(outputs, taps): for each index of the output along one axis, the indices of the input; those
    outside of it are padding."""
    i = np.arange(outputs)[:, None]
    if name == "pad":
        pads = argument(args, kwargs, 1, "pad", ())
        return i - (pads[2 * (1 - along)] if len(pads) > 2 * (1 - along) else 0)
    if name.startswith("conv_transpose"):
        k = np.arange(args[1].shape[-2 + along])
        stride = _along(argument(args, kwargs, 3, "stride", 1), along, 1)
        pad = _along(argument(args, kwargs, 4, "padding", 0), along, 0)
        dilation = _along(argument(args, kwargs, 7, "dilation", 1), along, 1)
        # Output o gets input j where o = j · stride − pad + k · dilation for some k of the kernel.
        source = i + pad - dilation * k
        return np.where(source % stride == 0, source // stride, -1)
    if name.startswith("conv"):
        k = np.arange(args[1].shape[-2 + along])
        stride = _along(argument(args, kwargs, 3, "stride", 1), along, 1)
        pad = argument(args, kwargs, 4, "padding", 0)
        dilation = _along(argument(args, kwargs, 5, "dilation", 1), along, 1)
        if isinstance(pad, str):
            pad = dilation * (len(k) - 1) // 2 if pad == "same" else 0
        return i * stride - _along(pad, along) + dilation * k
    if name.startswith("adaptive"):
        first, end = (i * size) // outputs, -((-(i + 1) * size) // outputs)
        taps = first + np.arange(int((end - first).max()))
        return np.where(taps < end, taps, -1)
    if "pool" in name:
        kernel = _along(argument(args, kwargs, 1, "kernel_size", None), along, 1)
        stride = _along(argument(args, kwargs, 2, "stride", None), along, kernel)
        pad = _along(argument(args, kwargs, 3, "padding", 0), along, 0)
        dilation = 1
        if "max" in name:
            dilation = _along(argument(args, kwargs, 4, "dilation", 1), along, 1)
        return i * stride - pad + dilation * np.arange(kernel)
    mode = argument(args, kwargs, 3, "mode", "nearest")
    if mode in ("nearest", "nearest-exact", "area"):
        return (i * size) // outputs
    if argument(args, kwargs, 4, "align_corners", False) and outputs > 1:
        source = i * (size - 1) / (outputs - 1)
    else:
        source = (i + 0.5) * size / outputs - 0.5
    if mode == "bicubic":
        return np.clip(np.floor(source).astype(int) + np.arange(-1, 3), 0, size - 1)
    source = np.clip(source, 0, size - 1)
    return np.hstack([np.floor(source + 1e-9), np.ceil(source - 1e-9)]).astype(int)


def _along(value: Any, along: int, default: Any = 0) -> Any:
    """An option that may be one number or one for each axis; the last two are rows and columns."""
    if value is None:
        return default
    if isinstance(value, list | tuple):
        if not value:
            return default
        return value[-2 + along] if len(value) > 1 else value[0]
    return value
