"""Calls of Headrace's image and matrix functions that TensorFlow's module has too, in the form of python_cases.py."""

import numpy as np

RANDOM = np.random.default_rng(3)
F = RANDOM.random((2, 7, 9, 3)).astype(np.float32)
U = RANDOM.integers(0, 256, (2, 7, 9, 3)).astype(np.uint8)
M = RANDOM.random((2, 4, 4)).astype(np.float32)
R = RANDOM.random((2, 3, 5)).astype(np.float32)
BOXES = np.float32([[[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]], [[0.4, 0.4, 0.45, 0.9], [0.9, 0.9, 0.1, 0.1]]])
PICTURE = (np.add.outer(np.arange(60) * 3, np.arange(80) * 2)[..., None] % 256 * [1, 0.5, 0.8] + [0, 60, 20]).astype(np.uint8)
CASES = {}


def case(name, function, *arguments):
    CASES[name] = (function, arguments)


for _method in (0, 1, 2, 3, "bilinear", "nearest", "bicubic", "area"):
    for _size in ([4, 5], [14, 18], [7, 9], [10, 4], [1, 1]):
        for _corners in (False, True):
            case(f"resize {_method} {_size} {_corners}", lambda t, x, m=_method, s=_size, c=_corners: t.image.resize_images(
                x, s, m, align_corners=c), F)
case("resize bytes", lambda t, x: [t.image.resize_images(x, [5, 5]),
                                   t.image.resize_images(x, [5, 5], t.image.ResizeMethod.NEAREST_NEIGHBOR)], U)
case("resize one", lambda t, x: t.image.resize(x, [5, 5]), F[0])
case("resize in proportion", lambda t, x: t.image.resize_images(x, [5, 5], preserve_aspect_ratio=True), F)
case("resize_image_with_pad", lambda t, x: t.image.resize_image_with_pad(x, 5, 10), F)
for _name in ("flip_left_right flip_up_down transpose_image per_image_standardization rgb_to_grayscale rgb_to_hsv "
              "hsv_to_rgb").split():
    case(_name, lambda t, x, n=_name: getattr(t.image, n)(x), F)
case("of bytes", lambda t, x: [t.image.rgb_to_grayscale(x), t.image.per_image_standardization(x[0])], U)
case("rot90", lambda t, x: [t.image.rot90(x, k) for k in range(4)], F[0])
for _label, _images in (("floats", F), ("bytes", U)):
    case("colours of " + _label, lambda t, x: [t.image.adjust_brightness(x, 0.2), t.image.adjust_contrast(x, 1.7),
                                               t.image.adjust_hue(x, 0.3), t.image.adjust_hue(x, -0.3),
                                               t.image.adjust_saturation(x, 0.3), t.image.adjust_gamma(x, 0.7)], _images)
    for _type in "float32 uint8 int32 uint16 float64 int16".split():
        case(f"convert {_label} to {_type}", lambda t, x, d=_type: [
            t.image.convert_image_dtype(x, getattr(t, d), saturate=s) for s in (False, True)], _images)
    case(f"colours at random of {_label}", lambda t, x: [t.image.random_contrast(x, 0.2, 1.8, seed=3), t.image.random_hue(x, 0.4, seed=4),
                                                        t.image.random_saturation(x, 0.2, 1.8, seed=5),
                                                        t.image.random_brightness(x, 0.3, seed=6)], _images)
for _height, _width in ((5, 5), (10, 12), (3, 20), (7, 9)):
    case(f"crop or pad to {_height} {_width}", lambda t, x, h=_height, w=_width: [
        t.image.resize_image_with_crop_or_pad(x, h, w),
        t.image.resize_image_with_crop_or_pad(t.placeholder_with_default(F[0], [None, None, 3]), h, w)], F)
case("central_crop", lambda t, x: [t.image.central_crop(x, 0.5), t.image.central_crop(x[0], 0.7)], F)
case("boxes", lambda t, x: [t.image.crop_to_bounding_box(x, 1, 2, 3, 4), t.image.pad_to_bounding_box(x, 1, 2, 13, 14)], F)
case("png and jpeg", lambda t, x: [t.image.decode_png(t.image.encode_png(x[0])), t.image.is_jpeg(t.image.encode_jpeg(x[0])),
                                   t.image.decode_jpeg(t.image.encode_jpeg(x[0], quality=90))], U)
for _half in (False, True):
    case(f"resize by op, half_pixel_centers {_half}", lambda t, x, u, h=_half: [
        f(v, [5, 11], half_pixel_centers=h) for f in (t.image.resize_bilinear, t.image.resize_nearest_neighbor, t.image.resize_bicubic)
        for v in (x, u)], F, U)
case("flipped at random", lambda t, x: [f(v, seed=s) for f in (t.image.random_flip_left_right, t.image.random_flip_up_down)
                                        for v in (x, x[0]) for s in range(1, 5)], F)
case("draw boxes", lambda t, x: [t.image.draw_bounding_boxes(x, BOXES), t.image.draw_bounding_boxes(x, BOXES, colors=[[3.0, 2, 1]]),
                                 t.image.draw_bounding_boxes(x[..., :1], BOXES)], F)
for _seed in range(1, 9):
    case(f"random boxes {_seed}", lambda t, s=_seed: [
        *t.image.sample_distorted_bounding_box([480, 640, 3], BOXES[:1], seed=s, seed2=7, min_object_covered=0.3),
        *t.image.sample_distorted_bounding_box(t.constant([100, 50, 3], t.int64), t.zeros([1, 0, 4]), s, 8, area_range=(0.1, 0.8),
                                               aspect_ratio_range=(0.5, 2), max_attempts=50, use_image_if_no_bounding_boxes=True)])


def preprocessed(t, picture, seed, height=24, width=24):
    """Inception's distortions of a JPEG file for training, as published with its models."""
    image = t.image.decode_jpeg(t.image.encode_jpeg(picture, quality=90), channels=3)
    image = t.image.convert_image_dtype(image, t.float32)
    boxes = t.constant([[[0.1, 0.1, 0.9, 0.8]]])
    begin, size, box = t.image.sample_distorted_bounding_box(t.shape(image), boxes, seed=seed, seed2=1, min_object_covered=0.1,
                                                             aspect_ratio_range=[0.75, 1.33], area_range=[0.05, 1.0],
                                                             max_attempts=100, use_image_if_no_bounding_boxes=True)
    drawn = t.image.draw_bounding_boxes(t.expand_dims(image, 0), box)
    part = t.slice(image, begin, size)
    part = t.image.resize_images(part, [height, width], method=seed % 2)
    part.set_shape([height, width, 3])
    part = t.image.random_flip_left_right(part, seed=seed)
    part = t.image.random_brightness(part, max_delta=32.0 / 255, seed=seed)
    part = t.image.random_saturation(part, lower=0.5, upper=1.5, seed=seed)
    part = t.image.random_hue(part, max_delta=0.2, seed=seed)
    part = t.image.random_contrast(part, lower=0.5, upper=1.5, seed=seed)
    return [box, drawn, t.multiply(t.subtract(t.clip_by_value(part, 0.0, 1.0), 0.5), 2.0)]


for _seed in range(1, 7):
    case(f"preprocessed {_seed}", lambda t, x, s=_seed: preprocessed(t, x, s), PICTURE)
for _name in "diag diag_part trace transpose".split():
    case("linalg." + _name, lambda t, x, n=_name: getattr(t.linalg, n)(x), M)
case("diagonals", lambda t, x: [t.linalg.tensor_diag(x[0]), t.matrix_diag_part(x),
                                t.linalg.diag_part(t.transpose(x, [0, 2, 1])),
                                t.matrix_set_diag(x, np.float32([[1, 2, 3], [4, 5, 6]])),
                                t.linalg.diag_part(t.placeholder_with_default(R, [None, None, None])),
                                t.diag_part(t.reshape(t.range(16), [2, 2, 2, 2]))], R)
case("bands", lambda t, x: [t.matrix_band_part(x, low, high) for low, high in ((0, 0), (1, -1), (-1, 1), (-1, -1), (2, 0))], R)
case("matvec and cross", lambda t, x, f: [t.linalg.matvec(x, x[:, 0]), t.linalg.cross(f, t.reverse(f, [0]))], M, F)
case("norms of vectors", lambda t, x: [t.norm(x, o, axis=-1, keepdims=k) for k in (False, True)
                                       for o in ("euclidean", 1, 2, np.inf, 3)], M)
case("norms of matrices", lambda t, x: [t.norm(x)] + [t.norm(x, o, axis=[-2, -1]) for o in ("euclidean", "fro", 1, np.inf)], M)
case("eye", lambda t: [t.eye(3, 4), t.eye(3, batch_shape=[2]), t.linalg.eye(t.constant(3))])
for _equation, _inputs in (("bij,bjk->bik", (M, M)), ("ij,jk", (M[0], M[1])), ("ij->ji", (M[0],)), ("ij->", (M[0],)),
                           ("bij,bkj->bik", (M, M)), ("bij,jk->bik", (M, M[0])), ("i,j->ij", (M[0, 0], M[0, 1])),
                           ("bij,bij->b", (M, M)), ("bhwc,cd->bhwd", (F, M[0, :3])), ("ij,ij->ij", (M[0], M[1]))):
    case("einsum " + _equation, lambda t, *a, e=_equation: t.einsum(e, *a), *_inputs)
