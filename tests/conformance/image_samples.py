"""Random samples of image ops for op_conformance.py. Their gradients are what TensorFlow's graph has."""
import numpy as np

from op_samples import FLOATS, Sample, raw, sample, values

INTEGERS = ("uint8", "int16", "int32")


def batch(random, dtype, channels=None, low=-2.0, high=2.0):
    dims = [*random.integers(1, 4, 1), *random.integers(1, 30, 2), channels or random.integers(1, 12)]
    return values(random, dtype, tuple(int(extent) for extent in dims), low, high)


def add_resize(op, differentiable=FLOATS, half=True):
    @sample(op, FLOATS + INTEGERS)
    def make(random, dtype):
        mode = int(random.integers(0, 3 if half else 2))
        attrs = {"align_corners": mode == 1} | ({"half_pixel_centers": mode == 2} if half else {})
        size = random.integers(1, 40, 2).astype(np.int32)
        return Sample(raw(op, names=["images", "size"], **attrs), batch(random, dtype), size, constant=(1,),
                      differentiable=dtype in differentiable)


# Gradients of float64 images are sums of products in float, whose last bits go by their order.
add_resize("ResizeBilinear", differentiable=("float32",))
add_resize("ResizeNearestNeighbor")
add_resize("ResizeBicubic", differentiable=("float32",))
add_resize("ResizeArea", differentiable=(), half=False)


@sample("ResizeBilinear of long rows", ("float32", "uint8"))
def _(random, dtype):
    """Of more elements than the kernels deal with at a time."""
    channels = int(random.choice([1, 3, 4, 1500]))
    extents = random.integers(1, 8 if channels > 4 else 900, 2)
    return Sample(raw("ResizeBilinear", names=["images", "size"]), values(random, dtype, (1, 5, int(extents[0]), channels)),
                  np.int32([4, extents[1]]), constant=(1,), differentiable=dtype == "float32")


for _op in ("ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"):
    @sample(_op + " of long rows", ("float32",))
    def _(random, dtype, op=_op):
        channels = int(random.choice([1, 3, 4, 1500, 5000]))
        extents = random.integers(1, 8 if channels > 4 else 3000, 2)
        return Sample(raw(op, names=["images", "size"]), values(random, dtype, (1, 5, int(extents[0]), channels)),
                      np.int32([4, extents[1]]), constant=(1,), differentiable=op != "ResizeArea")


@sample("RGBToHSV", FLOATS)
def _(random, dtype):
    return Sample(raw("RGBToHSV", names=["images"]), batch(random, dtype, 3, 0.01, 1))


@sample("HSVToRGB", FLOATS)
def _(random, dtype):
    return Sample(raw("HSVToRGB", names=["images"]), batch(random, dtype, 3, 0, 1), differentiable=False)


def add_adjustment(op, by, channels, low, high):
    @sample(op, ("float32",))
    def make(random, dtype):
        return Sample(raw(op, names=["images", by]), batch(random, dtype, channels, 0, 1), np.float32(random.uniform(low, high)),
                      differentiable=False)


add_adjustment("AdjustContrastv2", "contrast_factor", None, 0, 3)
add_adjustment("AdjustHue", "delta", 3, -1, 1)
add_adjustment("AdjustSaturation", "scale", 3, 0, 3)


def boxes(random, number, count):
    """Boxes [number, count, 4] within the image."""
    corners = np.sort(random.random((number, count, 2, 2)), axis=2)
    return corners.reshape(number, count, 4).astype(np.float32)


@sample("DrawBoundingBoxes", ("float32",))
def _(random, dtype):
    images = batch(random, dtype, int(random.choice([1, 3, 4])))
    return Sample(raw("DrawBoundingBoxes", names=["images", "boxes"]), images, boxes(random, len(images), 5) * 1.4 - 0.2,
                  differentiable=False)


@sample("SampleDistortedBoundingBoxV2", ("int32", "int64"))
def _(random, dtype):
    seeds = dict(seed=int(random.integers(1, 99)), seed2=int(random.integers(0, 99)))
    size = random.integers(1, 1000, 3).astype(dtype)
    names = ["image_size", "bounding_boxes", "min_object_covered"]
    ranges = {"area_range": sorted(random.uniform(0.01, 1, 2).tolist()), "aspect_ratio_range": sorted(random.uniform(0.1, 4, 2).tolist())}
    return Sample(lambda tf, x: list(raw("SampleDistortedBoundingBoxV2", names=names, **seeds, **ranges)(tf, x)), size,
                  boxes(random, 1, 3), np.float32(random.random()), differentiable=False)


@sample("CropAndResize", ("float32", "uint8"))
def _(random, dtype):
    images, count = batch(random, dtype), int(random.integers(0, 5))
    method = str(random.choice(["bilinear", "nearest"]))
    return Sample(raw("CropAndResize", names=["image", "boxes", "box_ind", "crop_size"], method=method, extrapolation_value=0.5), images,
                  boxes(random, 1, count)[0] * 1.4 - 0.2, random.integers(0, len(images), count).astype(np.int32),
                  random.integers(1, 9, 2).astype(np.int32), constant=(3,), differentiable=dtype == "float32")


def add_suppression(op, thresholds, several=False):
    @sample(op, ("float32",))
    def make(random, dtype):
        count = int(random.integers(0, 60))
        names = ["boxes", "scores", "max_output_size", "iou_threshold", "score_threshold", "soft_nms_sigma"][:3 + thresholds]
        values = [np.float32(random.random()), np.float32(random.random() * 0.5), np.float32(random.choice([0, 0.3]))][:thresholds]
        build = raw(op, names=names)
        return Sample((lambda tf, x: list(build(tf, x))) if several else build, boxes(random, 1, count)[0],
                      random.random(count).astype(np.float32), np.int32(random.integers(0, 30)), *values, differentiable=False)


add_suppression("NonMaxSuppressionV2", 1)
add_suppression("NonMaxSuppressionV3", 2)
add_suppression("NonMaxSuppressionV4", 2, several=True)
add_suppression("NonMaxSuppressionV5", 3, several=True)
