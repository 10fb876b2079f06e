"""Writes tests/cases/image/crops.case: crops of images as TensorFlow makes them, their gradients, and which boxes it selects.

Run: python make_crop_cases.py > ../cases/image/crops.case (needs tensorflow)."""
import numpy as np

from image_cases import images, numbers, run, session_run, tf

BOXES = np.float32([[0.1, 0.2, 0.9, 0.7], [0, 0, 1, 1], [0.8, 0.9, 0.2, 0.1], [-0.3, 0.5, 0.6, 1.4]])
OF = np.int32([0, 1, 1, 0])


def errors(op, good, table):
    for title, message, other in table:
        code = "OUT_OF_RANGE" if "outside" in message else "INVALID_ARGUMENT"
        print(f"error  {title}: {code} /{message}/")
        for key, value in (good | other).items():
            print(f"  {key}: {value}")


def run_many(op, title, attrs=None, **inputs):
    """A case of an op of several outputs."""
    results = session_run(lambda: list(getattr(tf.raw_ops, op)(**inputs, **(attrs or {}))))
    print(f"run  {title}")
    if attrs:
        print("  attrs " + " ".join(f"{key}={str(value).lower()}" for key, value in attrs.items()))
    for key, value in inputs.items():
        print(f"  {key}: {numbers(value)}")
    for result in results:
        print(f"  -> {numbers(result)}")


print("# Made by tests/golden/make_crop_cases.py: the expected values are TensorFlow's.")
print("\nop CropAndResize")
run("CropAndResize", "boxes of two images, one turned round, one beyond the edge", image=images("float32", 2, 4, 5, 1), boxes=BOXES, box_ind=OF,
    crop_size=np.int32([2, 3]))
run("CropAndResize", "a pixel each", image=images("float32", 2, 4, 5, 2), boxes=BOXES, box_ind=OF, crop_size=np.int32([1, 1]))
for dtype in "uint8 uint16 int8 int16 int32 int64 float16 float64".split():
    run("CropAndResize", dtype, image=images(dtype, 1, 3, 3, 3), boxes=BOXES[:1], box_ind=OF[:1], crop_size=np.int32([2, 2]))
run("CropAndResize", "ten channels", image=images("float32", 1, 3, 3, 10), boxes=BOXES[:1], box_ind=OF[:1], crop_size=np.int32([1, 2]))
run("CropAndResize", "no boxes", image=images("float32", 1, 3, 3, 2), boxes=BOXES[:0], box_ind=OF[:0], crop_size=np.int32([2, 2]))
inputs = dict(image=images("float32", 2, 4, 5, 1), boxes=BOXES, box_ind=OF, crop_size=np.int32([3, 2]))
result = session_run(lambda: tf.raw_ops.CropAndResize(**inputs, method="nearest", extrapolation_value=-7.0))
print("run  the nearest pixel, and a value outside\n  attrs method='nearest' extrapolation_value=-7")
for key, value in inputs.items():
    print(f"  {key}: {numbers(value)}")
print(f"  -> {numbers(result)}")
GOOD = {"image": "f32[1,3,3,2] = 1", "boxes": "f32[1,4] = 0 0 1 1", "box_ind": "i32[1] = 0", "crop_size": "i32[2] = 2 2"}
BOX_ERRORS = [("one box", "rank 2|must be 2-D, got: .4.", {"boxes": "f32[4] = 1"}),
              ("boxes of three", "must have 4 columns, got: .1,3.", {"boxes": "f32[1,3] = 1"}),
              ("an index too few", "incompatible shape", {"box_ind": "i32[0] ="}),
              ("a matrix of indices", "rank 1|must be 1-D", {"box_ind": "i32[1,1] = 0"}),
              ("no such image", "values outside .0, batch_size.: 1, batch_size=1", {"box_ind": "i32[1] = 1"}),
              ("a negative image", "values outside .0, batch_size.: -1, batch_size=1", {"box_ind": "i32[1] = -1"})]
errors("CropAndResize", GOOD, BOX_ERRORS + [
    ("one image", "rank 4|must be 4-D", {"image": "f32[3,3,2] = 1"}), ("no rows", "must be positive, got f32.1,0,3,2.", {"image": "f32[1,0,3,2] ="}),
    ("an extent of zero", "crop dimensions must be positive, got height=0 width=2", {"crop_size": "i32[2] = 0 2"}),
    ("an extent below zero", "crop dimensions must be positive, got height=2 width=-9", {"crop_size": "i32[2] = 2 -9"}),
    ("three extents", "crop_size must have two elements", {"crop_size": "i32[3] = 2 2 2"}),
    ("a box that is no number", "not finite: nan", {"boxes": "f32[1,4] = 0 nan 1 1"}), ("a box without end", "not finite: inf", {"boxes": "f32[1,4] = 0 0 inf 1"})])
print("gradient  of image and boxes\n  tolerance 2e-2\n  image: f32[1,4,4,1] = 1 2 3 4 2 3 4 5 3 4 5 6 4 5 6 7\n  boxes: f32[1,4] = 0.15 0.2 0.8 0.85\n"
      "  box_ind: i32[1] = 0\n  crop_size: i32[2] = 2 2")

print("\nop CropAndResizeGradImage")
for method in "bilinear", "nearest":
    inputs = dict(grads=images("float32", 4, 2, 3, 2), boxes=BOXES, box_ind=OF, image_size=np.int32([2, 4, 3, 2]))
    for dtype in (tf.float32, tf.float64, tf.float16):
        result = session_run(lambda: tf.raw_ops.CropAndResizeGradImage(**inputs, method=method, T=dtype))
        short = {"float32": "f32", "float64": "f64", "float16": "f16"}[dtype.name]
        print(f"run  {method} {dtype.name}\n  attrs method='{method}' T={short}")
        if dtype != tf.float32:
            print("  tolerance " + ("1e-2" if dtype == tf.float16 else "1e-6"))
        for key, value in inputs.items():
            print(f"  {key}: {numbers(value)}")
        print(f"  -> {numbers(result)}")
GOOD = {"grads": "f32[1,2,2,2] = 1", "boxes": "f32[1,4] = 0 0 1 1", "box_ind": "i32[1] = 0", "image_size": "i32[4] = 1 3 3 2"}
table = BOX_ERRORS[:3] + BOX_ERRORS[4:] + [
    ("one crop", "grads image must be 4-D", {"grads": "f32[2,2,2] = 1"}), ("three extents", "must have 4 elements|rank", {"image_size": "i32[3] = 1 3 3"}),
    ("crops for other boxes", "boxes and grads have incompatible shape", {"grads": "f32[2,2,2,2] = 1"}),
    ("other channels", "depth are incompatible: 2, f32.1,2,2,3.", {"grads": "f32[1,2,2,3] = 1"}),
    ("no columns", "image dimensions must be positive, got height=3 width=0", {"image_size": "i32[4] = 1 3 0 2"})]
for title, message, other in table:
    code = "OUT_OF_RANGE" if "outside" in message else "INVALID_ARGUMENT"
    print(f"error  {title}: {code} /{message}/\n  attrs T=f32")
    for key, value in (GOOD | other).items():
        print(f"  {key}: {value}")

print("\nop CropAndResizeGradBoxes")
for dtype in "float32 uint8 float64".split():
    for size in ((2, 3), (1, 1)):
        run("CropAndResizeGradBoxes", f"{dtype} {size[0]} x {size[1]}", grads=images("float32", 4, *size, 2), image=images(dtype, 2, 4, 3, 2), boxes=BOXES, box_ind=OF)
GOOD = {"grads": "f32[1,2,2,2] = 1", "image": "f32[1,3,3,2] = 1", "boxes": "f32[1,4] = 0 0 1 1", "box_ind": "i32[1] = 0"}
errors("CropAndResizeGradBoxes", GOOD, BOX_ERRORS + [("one crop", "grads image must be 4-D", {"grads": "f32[2,2,2] = 1"}),
                                                     ("other channels", "depth are incompatible: 2, f32.1,2,2,3.", {"grads": "f32[1,2,2,3] = 1"})])

CORNERS = np.float32([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 11.1, 0, 10.1], [0, 100, 1, 101], [3, 3, 3, 5]])
SCORES = np.float32([0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.95])
BASE = dict(boxes=CORNERS, scores=SCORES, max_output_size=np.int32(4))
IOU, SCORE = dict(iou_threshold=np.float32(0.5)), dict(score_threshold=np.float32(0.4))
print("\nop NonMaxSuppression")
run("NonMaxSuppression", "one of each cluster", {"iou_threshold": 0.5}, **BASE)
print("\nop NonMaxSuppressionV2")
run("NonMaxSuppressionV2", "one of each cluster", **BASE, **IOU)
run("NonMaxSuppressionV2", "every overlap", **BASE, iou_threshold=np.float32(1))
run("NonMaxSuppressionV2", "no overlap", **BASE, iou_threshold=np.float32(0))
print("\nop NonMaxSuppressionV3")
run("NonMaxSuppressionV3", "those of high scores", **(BASE | dict(max_output_size=np.int32(9))), **IOU, **SCORE)
run("NonMaxSuppressionV3", "two at most", **(BASE | dict(max_output_size=np.int32(2))), **IOU, **SCORE)
run("NonMaxSuppressionV3", "none", **(BASE | dict(max_output_size=np.int32(0))), **IOU, **SCORE)
run("NonMaxSuppressionV3", "half", **{k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in (BASE | IOU | SCORE).items()})
run("NonMaxSuppressionV3", "no boxes", boxes=CORNERS[:0], scores=SCORES[:0], max_output_size=np.int32(3), **IOU, **SCORE)
run("NonMaxSuppressionV3", "scores that are no numbers", **(BASE | dict(scores=np.float32([np.nan, np.inf, -np.inf, 1, 1, 1, np.nan]))), **IOU, **SCORE)
print("\nop NonMaxSuppressionV4")
run_many("NonMaxSuppressionV4", "as many as there are", {}, **BASE, **IOU, **SCORE)
run_many("NonMaxSuppressionV4", "padded", {"pad_to_max_output_size": True}, **(BASE | dict(max_output_size=np.int32(6))), **IOU, **SCORE)
print("\nop NonMaxSuppressionV5")
for sigma in 0, 0.5:
    run_many("NonMaxSuppressionV5", f"sigma {sigma}", {}, **(BASE | dict(max_output_size=np.int32(6))), iou_threshold=np.float32(0.5 if sigma == 0 else 1),
             score_threshold=np.float32(0.1), soft_nms_sigma=np.float32(sigma))
run_many("NonMaxSuppressionV5", "padded", {"pad_to_max_output_size": True}, **(BASE | dict(max_output_size=np.int32(9))), **IOU, **SCORE,
         soft_nms_sigma=np.float32(0.2))
GOOD = {"boxes": "f32[1,4] = 0 0 1 1", "scores": "f32[1] = 1", "max_output_size": "i32[] = 3", "iou_threshold": "f32[] = 0.5", "score_threshold": "f32[] = 0",
        "soft_nms_sigma": "f32[] = 0"}
errors("NonMaxSuppressionV5", GOOD, [
    ("one box", "rank 2|must be 2-D", {"boxes": "f32[4] = 1"}), ("boxes of three", "must have 4 columns", {"boxes": "f32[1,3] = 1"}),
    ("a matrix of scores", "rank 1|must be 1-D", {"scores": "f32[1,1] = 1"}), ("a score too few", "scores has incompatible shape", {"scores": "f32[0] ="}),
    ("a negative size", "output size must be non-negative, got -3", {"max_output_size": "i32[] = -3"}),
    ("a vector of sizes", "rank 0|must be 0-D", {"max_output_size": "i32[1] = 1"}),
    ("a share over 1", r"iou_threshold must be in .0, 1., got 1.5", {"iou_threshold": "f32[] = 1.5"}),
    ("a share that is no number", r"iou_threshold must be in .0, 1., got nan", {"iou_threshold": "f32[] = nan"}),
    ("a negative sigma", "soft_nms_sigma_val must be >= 0, got -1", {"soft_nms_sigma": "f32[] = -1"})])
