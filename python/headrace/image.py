"""tf.image: coding, crops, flips, sizes and colours of images [height, width, channels] or batches of them."""

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor, is_tensor_like
from .framework.graph import name_scope
from .framework.op_library import apply_op
from .ops import array, math, random
from .ops.image_colors import (adjust_brightness, adjust_contrast, adjust_gamma, adjust_hue, adjust_saturation,  # noqa: F401
                               convert_image_dtype, grayscale_to_rgb, hsv_to_rgb, per_image_standardization,
                               random_brightness, random_contrast, random_hue, random_saturation, rgb_to_grayscale, rgb_to_hsv)
from .ops.image_resize import (ResizeMethod, resize, resize_area, resize_bicubic, resize_bilinear,  # noqa: F401
                               resize_image_with_pad, resize_images, resize_nearest_neighbor)
from .ops.random import random_crop  # noqa: F401


def decode_jpeg(contents, channels=0, ratio=1, fancy_upscaling=True, try_recover_truncated=False, acceptable_fraction=1,
                dct_method="", name=None):
    """A JPEG file's bytes as uint8 [height, width, channels]."""
    return apply_op("DecodeJpeg", contents, channels=channels, ratio=ratio, fancy_upscaling=fancy_upscaling,
                    try_recover_truncated=try_recover_truncated, acceptable_fraction=acceptable_fraction, dct_method=dct_method,
                    name=name)


def decode_png(contents, channels=0, dtype=dtypes.uint8, name=None):
    """A PNG file's bytes as [height, width, channels] of uint8 or uint16."""
    return apply_op("DecodePng", contents, channels=channels, dtype=dtype, name=name)


def decode_image(contents, channels=None, dtype=dtypes.uint8, name=None, expand_animations=True):
    """The bytes of an image file of any known format as [height, width, channels]."""
    return apply_op("DecodeImage", contents, channels=channels or 0, dtype=dtype, expand_animations=expand_animations, name=name)


def encode_jpeg(image, format="", quality=95, progressive=False, optimize_size=False, chroma_downsampling=True,
                density_unit="in", x_density=300, y_density=300, xmp_metadata="", name=None):
    """A uint8 image as a JPEG file's bytes."""
    return apply_op("EncodeJpeg", image, format=format, quality=quality, progressive=progressive, optimize_size=optimize_size,
                    chroma_downsampling=chroma_downsampling, density_unit=density_unit, x_density=x_density, y_density=y_density,
                    xmp_metadata=xmp_metadata, name=name)


def encode_png(image, compression=-1, name=None):
    """An image of uint8 or uint16 as a PNG file's bytes."""
    return apply_op("EncodePng", image, compression=compression, name=name)


def sample_distorted_bounding_box(image_size, bounding_boxes, seed=None, seed2=None, min_object_covered=0.1, aspect_ratio_range=None,
                                  area_range=None, max_attempts=None, use_image_if_no_bounding_boxes=None, name=None):
    """A random part of an image [height, width, channels] that shows at least `min_object_covered` of one of the boxes.

    Returns (begin, size, bboxes): the first two for tf.slice, the third for draw_bounding_boxes. The boxes, [1, n, 4], are y and x
    from and to, as shares of the image. A part's share of the area and its ratio of width to height are within the ranges, by default
    [0.05, 1] and [0.75, 1.33]; where `max_attempts`, by default 100, find none, it is the whole image.
    """
    with name_scope(name or "sample_distorted_bounding_box"):
        return apply_op("SampleDistortedBoundingBoxV2", image_size, bounding_boxes, min_object_covered, seed=seed, seed2=seed2,
                        aspect_ratio_range=aspect_ratio_range, area_range=area_range, max_attempts=max_attempts,
                        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes, name=name)


def draw_bounding_boxes(images, boxes, name=None, colors=None):
    """The images with boxes [batch, n, 4] drawn, each y and x from and to as shares of the image, in `colors` in turn."""
    if colors is None:
        return apply_op("DrawBoundingBoxes", images, boxes, name=name)
    return apply_op("DrawBoundingBoxesV2", images, boxes, colors, name=name)


def is_jpeg(contents, name=None):
    """Whether the bytes begin as a JPEG file does."""
    return math.equal(apply_op("Substr", contents, np.int32(0), np.int32(3)), b"\xff\xd8\xff", name=name)


def _image(image):
    """The image as a tensor. Raises ValueError unless it has 3 or 4 axes."""
    image = convert_to_tensor(image, name="image")
    if image.shape.rank not in (None, 3, 4):
        raise ValueError(f"'image' must have either 3 or 4 dimensions, got the shape {image.shape}")
    return image


def _flip(image, axis, name):
    """Turned round along an axis: -3 rows, -2 columns."""
    with name_scope(name):
        image = _image(image)
        flipped = array.reverse(image, [(image.shape.rank or 3) + axis])
        flipped.set_shape(image.shape)
        return flipped


def flip_left_right(image):
    """The columns in the opposite order."""
    return _flip(image, -2, "flip_left_right")


def flip_up_down(image):
    """The rows in the opposite order."""
    return _flip(image, -3, "flip_up_down")


def _random_flip(image, axis, seed, name):
    with name_scope(name):
        image = _image(image)
        batch = [] if image.shape.rank in (None, 3) else [array.shape(image)[0], 1, 1, 1]
        drawn = random.random_uniform(array.stack(batch) if batch else [], 0, 1.0, seed=seed)
        chosen = math.greater(drawn, 0.5) if batch else math.less(drawn, 0.5)  # which of both is TensorFlow's choice
        result = apply_op("SelectV2", chosen, _flip(image, axis, "flipped"), image)
        result.set_shape(image.shape)
        return result


def random_flip_left_right(image, seed=None):
    """Each image flipped left to right with probability 1/2."""
    return _random_flip(image, -2, seed, "random_flip_left_right")


def random_flip_up_down(image, seed=None):
    """Each image flipped upside down with probability 1/2."""
    return _random_flip(image, -3, seed, "random_flip_up_down")


def transpose_image(image):
    """Rows and columns exchanged."""
    image = _image(image)
    return array.transpose(image, [1, 0, 2] if image.shape.rank == 3 else [0, 2, 1, 3])


transpose = transpose_image


def rot90(image, k=1, name=None):
    """Turned counter-clockwise by k quarters."""
    if is_tensor_like(k):
        raise NotImplementedError("image.rot90: k must be an int")
    with name_scope(name or "rot90"):
        k %= 4
        if k == 0:
            return array.identity(image)
        if k == 2:
            return flip_up_down(flip_left_right(image))
        return flip_up_down(transpose_image(image)) if k == 1 else transpose_image(flip_up_down(image))


def _height_width(image):
    """Both extents, as ints where they are known."""
    known = image.shape._dims
    dynamic = array.shape(image) if None in known[-3:-1] else None
    return [known[i] if known[i] is not None else dynamic[i] for i in (-3, -2)]


def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """The part of the given extents at an offset. Raises ValueError where it is known not to fit."""
    with name_scope("crop_to_bounding_box"):
        image = _image(image)
        height, width = _height_width(image)
        for what, offset, target, extent in (("height", offset_height, target_height, height),
                                             ("width", offset_width, target_width, width)):
            if all(isinstance(v, (int, np.integer)) for v in (offset, target, extent)) and not (
                    offset >= 0 and target > 0 and offset + target <= extent):
                raise ValueError(f"{what} must be >= target + offset: {extent} < {target} + {offset}")
        begin, size = [offset_height, offset_width, 0], [target_height, target_width, -1]
        if image.shape.rank == 4:
            begin, size = [0, *begin], [-1, *size]
        cropped = array.slice(image, array.stack(begin), array.stack(size))
        known = [v if isinstance(v, (int, np.integer)) else None for v in (target_height, target_width)]
        cropped.set_shape([*image.shape._dims[:-3], *known, image.shape._dims[-1]])
        return cropped


def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """The image at an offset in zeros of the given extents. Raises ValueError where it is known not to fit."""
    with name_scope("pad_to_bounding_box"):
        image = _image(image)
        height, width = _height_width(image)
        after = [target_height - offset_height - height, target_width - offset_width - width]
        for what, offset, rest in zip(("height", "width"), (offset_height, offset_width), after):
            if isinstance(offset, (int, np.integer)) and offset < 0 or isinstance(rest, (int, np.integer)) and rest < 0:
                raise ValueError(f"{what} must be <= target - offset, and the offset not negative")
        rows = [0, 0] if image.shape.rank == 4 else []
        flat = array.stack([*rows, offset_height, after[0], offset_width, after[1], 0, 0])
        padded = apply_op("Pad", image, array.reshape(flat, [-1, 2]))
        known = [v if isinstance(v, (int, np.integer)) else None for v in (target_height, target_width)]
        padded.set_shape([*image.shape._dims[:-3], *known, image.shape._dims[-1]])
        return padded


def _largest(a, b):
    return max(a, b) if all(isinstance(v, (int, np.integer)) for v in (a, b)) else math.maximum(a, b)


def _smallest(a, b):
    return min(a, b) if all(isinstance(v, (int, np.integer)) for v in (a, b)) else math.minimum(a, b)


def resize_image_with_crop_or_pad(image, target_height, target_width):
    """The image's middle, cropped or in zeros, at the given extents."""
    with name_scope("resize_image_with_crop_or_pad"):
        image = _image(image)
        height, width = _height_width(image)
        spare_height, spare_width = target_height - height, target_width - width
        cropped = crop_to_bounding_box(image, _largest(-spare_height // 2, 0), _largest(-spare_width // 2, 0),
                                       _smallest(target_height, height), _smallest(target_width, width))
        return pad_to_bounding_box(cropped, _largest(spare_height // 2, 0), _largest(spare_width // 2, 0), target_height,
                                   target_width)


resize_with_crop_or_pad = resize_image_with_crop_or_pad


def central_crop(image, central_fraction):
    """The middle part with the given share of height and width."""
    if not 0.0 < central_fraction <= 1.0:
        raise ValueError("central_fraction must be within (0, 1]")
    with name_scope("central_crop"):
        image = _image(image)
        if central_fraction == 1.0:
            return image
        offsets, sizes = [], []
        for extent in _height_width(image):
            if isinstance(extent, int):
                start = int((extent - extent * central_fraction) / 2)
            else:
                whole = math.cast(extent, dtypes.float64)
                start = math.cast((whole - whole * central_fraction) / 2.0, dtypes.int32)
            offsets.append(start)
            sizes.append(extent - start * 2)
        return crop_to_bounding_box(image, *offsets, *sizes)
