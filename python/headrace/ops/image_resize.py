"""Sizes of images."""

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


def resize_bilinear(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, as float32: each pixel is a mean of four."""
    return apply_op("ResizeBilinear", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name)


def resize_bicubic(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, as float32, by cubic convolution."""
    return apply_op("ResizeBicubic", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name)


def resize_nearest_neighbor(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """A batch of images at another size, of the same type: each pixel is one of the input's."""
    return apply_op("ResizeNearestNeighbor", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers,
                    name=name)


def resize_area(images, size, align_corners=False, name=None):
    """A batch of images at another size, as float32: each pixel is the mean of the area it covers."""
    return apply_op("ResizeArea", images, size, align_corners=align_corners, name=name)


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
