"""Colours of images: types, brightness, contrast, hue, saturation, gray."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math, random


def convert_image_dtype(image, dtype, saturate=False, name=None):
    """The image in another type, scaled: floats are from 0 to 1, integers up to their largest value."""
    image, dtype = convert_to_tensor(image), dtypes.as_dtype(dtype)
    if image.dtype.base_dtype is dtype:
        return array.identity(image, name=name)
    cast = math.saturate_cast if saturate else math.cast
    with name_scope(name or "convert_image") as scope:
        source = image.dtype
        if source.is_integer and dtype.is_integer:
            if source.max > dtype.max:
                return cast(apply_op("FloorDiv", image, (source.max + 1) // (dtype.max + 1)), dtype, name=scope)
            return math.multiply(cast(image, dtype), (dtype.max + 1) // (source.max + 1), name=scope)
        if source.is_floating and dtype.is_floating:
            return math.cast(image, dtype, name=scope)
        if source.is_integer:
            return math.multiply(math.cast(image, dtype), 1.0 / source.max, name=scope)
        return cast(math.multiply(image, dtype.max + 0.5), dtype, name=scope)


def _in_float(image, function, name, saturate=False):
    """The function (of an image as floats from 0 to 1, and a name) of the image, in the image's own type again."""
    with name_scope(name) as scope:
        image = convert_to_tensor(image, name="image")
        kind = image.dtype.base_dtype
        if kind not in (dtypes.float16, dtypes.float32):
            image = convert_image_dtype(image, dtypes.float32)
        return convert_image_dtype(function(image, scope), kind, saturate)


def adjust_brightness(image, delta):
    """The image with `delta` added, integers taken as 0 to 1."""
    return _in_float(image, lambda x, scope: math.add(x, math.cast(delta, x.dtype), name=scope), "adjust_brightness", saturate=True)


def adjust_contrast(images, contrast_factor):
    """(x - mean) * factor + mean, for each channel of each image."""
    return _in_float(images, lambda x, scope: apply_op("AdjustContrastv2", x, contrast_factor, name=scope), "adjust_contrast",
                     saturate=True)


def adjust_gamma(image, gamma=1, gain=1):
    """gain * x to the power gamma."""
    return _in_float(image, lambda x, scope: gain * math.pow(x, math.cast(gamma, x.dtype)), "adjust_gamma", saturate=True)


def rgb_to_hsv(images, name=None):
    """Red, green, blue from 0 to 1 as hue, saturation, value from 0 to 1."""
    return apply_op("RGBToHSV", images, name=name)


def hsv_to_rgb(images, name=None):
    """Hue, saturation, value from 0 to 1 as red, green, blue from 0 to 1."""
    return apply_op("HSVToRGB", images, name=name)


def adjust_hue(image, delta, name=None):
    """The hue turned by `delta` of the whole circle."""
    return _in_float(image, lambda x, scope: apply_op("AdjustHue", x, delta), name or "adjust_hue")


def adjust_saturation(image, saturation_factor, name=None):
    """The saturation times a factor, kept within 0 and 1."""
    return _in_float(image, lambda x, scope: apply_op("AdjustSaturation", x, saturation_factor), name or "adjust_saturation")


def _bounds(lower, upper):
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def random_brightness(image, max_delta, seed=None):
    """adjust_brightness by a number from -max_delta to max_delta."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random.random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image, lower, upper, seed=None):
    """adjust_contrast by a factor between the bounds."""
    _bounds(lower, upper)
    return adjust_contrast(image, random.random_uniform([], lower, upper, seed=seed))


def random_saturation(image, lower, upper, seed=None):
    """adjust_saturation by a factor between the bounds."""
    _bounds(lower, upper)
    return adjust_saturation(image, random.random_uniform([], lower, upper, seed=seed))


def random_hue(image, max_delta, seed=None):
    """adjust_hue by a number from -max_delta to max_delta, which is at most 1/2."""
    if not 0 <= max_delta <= 0.5:
        raise ValueError("max_delta must be in [0, 0.5].")
    return adjust_hue(image, random.random_uniform([], -max_delta, max_delta, seed=seed))


def rgb_to_grayscale(images, name=None):
    """One channel by the eye's weights of the three colours (ITU-R 601)."""
    with name_scope(name or "rgb_to_grayscale"):
        images = convert_to_tensor(images)
        kind = images.dtype.base_dtype
        gray = math.tensordot(convert_image_dtype(images, dtypes.float32), np.float32([0.2989, 0.5870, 0.1140]),
                              [[images.shape.rank - 1], [0]])
        return convert_image_dtype(array.expand_dims(gray, -1), kind)


def grayscale_to_rgb(images, name=None):
    """Three equal channels of one."""
    images = convert_to_tensor(images)
    return array.tile(images, [1] * (images.shape.rank - 1) + [3], name=name or "grayscale_to_rgb")


def per_image_standardization(image):
    """(x - mean) / max(standard deviation, 1 / sqrt(number of elements)), for each image."""
    with name_scope("per_image_standardization") as scope:
        image = convert_to_tensor(image)
        image = image if image.dtype.base_dtype is dtypes.float16 else math.cast(image, dtypes.float32)
        kind = image.dtype
        axes = [-3, -2, -1]
        count = math.reduce_prod(array.shape(image)[-3:])
        deviation = math.reduce_std(image, axes, True)
        lowest = math.rsqrt(math.cast(count, kind))
        return math.truediv(image - math.reduce_mean(image, axes, True), math.maximum(deviation, lowest), name=scope)
