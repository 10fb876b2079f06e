"""Sizes of images: each output pixel is a weighted sum of input pixels, rows first, then columns."""

import enum

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant_value, convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math


class ResizeMethod(enum.IntEnum):
    """How resize_images makes pixels."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


def _positions(extent, target, align_corners, half_pixel_centers):
    """Where in the input (an extent, int or tensor) each of `target` output pixels lies, as float32."""
    extent, target = math.cast(extent, dtypes.float32), convert_to_tensor(target, dtypes.int32)
    wanted = math.cast(target, dtypes.float32)
    numbers = math.cast(math.range(target), dtypes.float32)
    scale = extent / wanted
    if align_corners:
        scale = array.where(wanted > 1, (extent - 1.0) / math.maximum(wanted - 1.0, 1.0), scale)
    return (numbers + 0.5) * scale - 0.5 if half_pixel_centers else numbers * scale


def _taps(images, axis, places):
    """The pixels at the given places along an axis, places beyond the edge taken at the edge."""
    extent = images.shape._dims[axis]
    limit = (array.shape(images)[axis] if extent is None else extent) - 1
    inside = math.minimum(math.maximum(places, 0), limit)
    return array.gather(images, inside, axis=axis)


def _weights(values, axis):
    """A vector of weights along an axis of a batch of images."""
    return array.reshape(values, [-1, 1, 1] if axis == 1 else [-1, 1])


def _along(images, axis, target, kernel, align_corners, half_pixel_centers):
    """Resized along one axis. `kernel(fraction)` gives [(offset, weights)] for positions at floor + fraction."""
    extent = images.shape._dims[axis]
    extent = array.shape(images)[axis] if extent is None else extent
    places = _positions(extent, target, align_corners, half_pixel_centers)
    floors = math.floor(places)
    total = None
    for offset, weights in kernel(places - floors):
        part = _taps(images, axis, math.cast(floors, dtypes.int32) + offset) * _weights(weights, axis)
        total = part if total is None else total + part
    return total


def _cubic(a):
    """Keys' cubic convolution kernel with parameter a (Keys 1981), at multiples of 1/1024 as in TensorFlow."""
    def near(x):
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0

    def far(x):
        return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a

    def kernel(fraction):
        t = math.rint(fraction * 1024.0) / 1024.0
        return [(-1, far(t + 1.0)), (0, near(t)), (1, near(1.0 - t)), (2, far(2.0 - t))]

    return kernel


def _separable(images, size, kernel, align_corners, half_pixel_centers, name):
    with name_scope(name):
        images = math.cast(convert_to_tensor(images), dtypes.float32)
        height, width = array.unstack(convert_to_tensor(size, dtypes.int32), 2)
        rows = _along(images, 1, height, kernel, align_corners, half_pixel_centers)
        return _sized(_along(rows, 2, width, kernel, align_corners, half_pixel_centers), images, size)


def _sized(result, images, size):
    known = constant_value(convert_to_tensor(size))
    extents = [None, None] if known is None else [int(v) for v in known]
    result.set_shape([images.shape._dims[0], *extents, images.shape._dims[3]])
    return result


def resize_bilinear(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, as float32: each pixel is a mean of four."""
    return apply_op("ResizeBilinear", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name)


def resize_bicubic(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, as float32, by cubic convolution."""
    if half_pixel_centers:
        raise NotImplementedError("resize_bicubic: half_pixel_centers is not there")
    return _separable(images, size, _cubic(-0.75), align_corners, half_pixel_centers, name or "ResizeBicubic")


def resize_nearest_neighbor(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, of the same type: each pixel is one of the input's."""
    return apply_op("ResizeNearestNeighbor", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers,
                    name=name)


def resize_area(images, size, align_corners=False, name=None):
    """A batch of images at another size, as float32: each pixel is the mean of the area it covers."""
    with name_scope(name or "ResizeArea"):
        images = math.cast(convert_to_tensor(images), dtypes.float32)
        result = images
        for axis, target in zip((1, 2), array.unstack(convert_to_tensor(size, dtypes.int32), 2)):
            extent = images.shape._dims[axis]
            extent = array.shape(images)[axis] if extent is None else extent
            cover = _cover(extent, target, align_corners)
            result = math.tensordot(result, cover, [[axis], [1]])
            order = [0, 3, 1, 2] if axis == 1 else [0, 1, 3, 2]
            result = array.transpose(result, order)
        return _sized(result, images, size)


def _cover(extent, target, align_corners):
    """The matrix [target, extent] of the share that each input pixel has in each output pixel."""
    starts = array.expand_dims(_positions(extent, target, align_corners, False), 1)
    scale = math.cast(extent, dtypes.float32) / math.cast(target, dtypes.float32)
    if align_corners:
        wanted = math.cast(target, dtypes.float32)
        scale = array.where(wanted > 1, (math.cast(extent, dtypes.float32) - 1.0) / math.maximum(wanted - 1.0, 1.0), scale)
    pixels = array.expand_dims(math.cast(math.range(extent), dtypes.float32), 0)
    last = math.equal(pixels, math.cast(extent, dtypes.float32) - 1.0)
    ends = array.where(last, array.fill(array.shape(pixels), np.float32(np.inf)), pixels + 1.0)  # beyond the edge it goes on
    overlap = math.minimum(starts + scale, ends) - math.maximum(starts, pixels)
    return math.maximum(overlap, 0.0) / scale


_FUNCTIONS = {ResizeMethod.BILINEAR: resize_bilinear, ResizeMethod.NEAREST_NEIGHBOR: resize_nearest_neighbor,
              ResizeMethod.BICUBIC: resize_bicubic, ResizeMethod.AREA: resize_area}


def resize_images(images, size, method=ResizeMethod.BILINEAR, align_corners=False, preserve_aspect_ratio=False, name=None):
    """An image or a batch at another size [height, width]: float32, except that NEAREST_NEIGHBOR keeps the type.

    An image that has the size already is returned as it is. With `preserve_aspect_ratio` it is the largest within `size`.
    """
    with name_scope(name or "resize"):
        images = convert_to_tensor(images)
        if images.shape.rank not in (3, 4):
            raise ValueError(f"'images' must have either 3 or 4 dimensions, got the shape {images.shape}")
        if isinstance(method, str):
            names = {"bilinear": 0, "nearest": 1, "bicubic": 2, "area": 3}
            if method not in names:
                raise ValueError("Resize method is not implemented: " + method)
            method = names[method]
        if method not in tuple(ResizeMethod):
            raise ValueError(f"Resize method is not implemented: {method}")
        single = images.shape.rank == 3
        batch = array.expand_dims(images, 0) if single else images
        size = convert_to_tensor(size, dtypes.int32, name="size")
        if preserve_aspect_ratio:
            size = _fitting(batch, size)
        known = constant_value(size)
        if known is not None and list(known) == list(batch.shape._dims[1:3]):
            return images
        result = _FUNCTIONS[ResizeMethod(method)](batch, size, align_corners)
        return array.squeeze(result, [0]) if single else result


resize = resize_images


def _fitting(images, size):
    """The largest height and width within `size` in the images' proportion."""
    extents, wanted = images.shape._dims[1:3], constant_value(size)
    if None not in extents and wanted is not None:
        scale = np.min(np.float32(wanted) / np.float32(extents))
        return convert_to_tensor(np.int32(np.round(np.float32(extents) * scale)), name="size")
    extents = math.cast(array.shape(images)[1:3], dtypes.float32)
    scale = math.reduce_min(math.cast(size, dtypes.float32) / extents)
    return math.cast(math.round(extents * scale), dtypes.int32)


def resize_image_with_pad(image, target_height, target_width, method=ResizeMethod.BILINEAR, align_corners=False):
    """The image scaled to fit, in the middle of zeros of the given size."""
    from ..image import pad_to_bounding_box
    with name_scope("resize_image_with_pad"):
        image = convert_to_tensor(image)
        height, width = image.shape._dims[-3:-1]
        if height is None or width is None:
            raise NotImplementedError("resize_image_with_pad: the image's height and width must be known")
        ratio = max(width / target_width, height / target_height)
        size = np.int32([np.floor(height / ratio), np.floor(width / ratio)])
        resized = resize_images(image, size, method, align_corners)
        offsets = [max(0, int((target - extent / ratio) // 2))
                   for target, extent in ((target_height, height), (target_width, width))]
        return pad_to_bounding_box(resized, *offsets, target_height, target_width)
