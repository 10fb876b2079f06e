"""Writes tests/cases/image/boxes.case: boxes as TensorFlow draws them, at random and into images.

Run: python make_box_cases.py > ../cases/image/boxes.case (needs tensorflow)."""
import numpy as np

from image_cases import images, numbers, run, session_run, tf

OBJECTS = np.float32([[[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]], [[0.4, 0.4, 0.45, 0.9], [0.9, 0.9, 0.1, 0.1]]])
WHOLE, ONE = np.zeros((1, 0, 4), np.float32), np.float32([[[0.3, 0.3, 0.8, 0.7]]])


def sample(title, size, boxes, covered=0.1, seed=(1, 2), **attrs):
    """A case for each of both ops. Of calls after the first a conformance check has many."""
    size = np.array(size)
    for op in "SampleDistortedBoundingBoxV2", "SampleDistortedBoundingBox":
        results = session_run(lambda: getattr(tf.raw_ops, op)(image_size=tf.constant(size), bounding_boxes=tf.constant(boxes), seed=seed[0],
                                                              min_object_covered=np.float32(covered), seed2=seed[1], **attrs))
        given = dict(seed=seed[0], seed2=seed[1], **attrs) | ({} if op.endswith("V2") else {"min_object_covered": covered})
        texts = [f"{k}={str(v).replace(' ', '').lower()}" for k, v in given.items()]
        print(f"op {op}\nrun  {title}\n  attrs {' '.join(texts)}\n  image_size: {numbers(size)}\n  bounding_boxes: {numbers(boxes)}")
        if op.endswith("V2"):
            print(f"  min_object_covered: f32[] = {covered}")
        for result in results:
            print(f"  -> {numbers(result)}")


print("# Made by tests/golden/make_box_cases.py: the expected values are TensorFlow's.\n")
for seed in ((1, 2), (87654321, 42), (0, 7), (-5, 1 << 40), (2**63 - 1, -1)):
    sample(f"seeds {seed[0]} and {seed[1]}", np.int32([480, 640, 3]), OBJECTS, seed=seed)
sample("no objects", np.int32([299, 299, 3]), WHOLE, use_image_if_no_bounding_boxes=True)
sample("most of a small object", np.int32([200, 100, 1]), ONE, 0.95, area_range=[0.1, 0.9])
sample("tall boxes", np.int64([100, 1000, 3]), ONE, aspect_ratio_range=[0.1, 0.2], max_attempts=500)
sample("wide boxes", np.int16([100, 300, 3]), ONE, aspect_ratio_range=[3, 9])
sample("extents that are powers of two", np.int32([256, 512, 3]), ONE)
sample("all attempts fail", np.int32([100, 100, 3]), ONE, 1.0, area_range=[0.01, 0.02], max_attempts=10)
sample("a range upside down", np.int32([100, 100, 3]), ONE, area_range=[0.5, 0.1])
sample("a pixel", np.int32([1, 1, 3]), ONE, use_image_if_no_bounding_boxes=True)
sample("bytes", np.uint8([200, 100, 3]), ONE)
sample("small numbers", np.int8([100, 120, 3]), ONE)
sample("a large image", np.int32([1 << 15, 1 << 15, 3]), ONE)

GOOD = {"image_size": "i32[3] = 9 9 3", "bounding_boxes": "f32[1,1,4] = 0 0 1 1", "min_object_covered": "f32[] = 0.1"}
for title, message, attrs, other in (
        ("two extents", "image_size must contain 3 elements.2.", "", {"image_size": "i32[2] = 9 9"}),
        ("a matrix of extents", "rank 1|1-dimensional", "", {"image_size": "i32[1,3] = 9"}),
        ("no rows", "must be positive, got height=0 width=9", "", {"image_size": "i32[3] = 0 9 3"}),
        ("negative columns", "must be positive, got height=9 width=-4", "", {"image_size": "i32[3] = 9 -4 3"}),
        ("far too many rows", "image height cannot be >= int32 max, got 4611686018427387904", "", {"image_size": "i64[3] = 4611686018427387904 9 3"}),
        ("a matrix of boxes", "rank 3|3-dimensional", "", {"bounding_boxes": "f32[1,4] = 0 0 1 1"}),
        ("boxes of three", "got .1,1,3.", "", {"bounding_boxes": "f32[1,1,3] = 1"}),
        ("a box beyond the image", "must be in .0.0, 1.0.: 1.5", "", {"bounding_boxes": "f32[1,1,4] = 0 0 1 1.5"}),
        ("a box that is no number", "must be in .0.0, 1.0.: nan", "", {"bounding_boxes": "f32[1,1,4] = 0 nan 1 1"}),
        ("no box", "No bounding boxes provided as input", "", {"bounding_boxes": "f32[1,0,4] ="}),
        ("a negative share", "Min object covered must be non-negative: -0.5", "", {"min_object_covered": "f32[] = -0.5"}),
        ("a share that is no number", "Min object covered must be non-negative: nan", "", {"min_object_covered": "f32[] = nan"}),
        ("a vector of shares", "rank 0|0-D", "", {"min_object_covered": "f32[1] = 1"}),
        ("one ratio", "Aspect ratio range field must specify 2 dimensions, got 1", "aspect_ratio_range=[1]", {}),
        ("a negative ratio", "Aspect ratio range must be non-negative: .-1, 2.", "aspect_ratio_range=[-1,2]", {}),
        ("one area", "Area range field must specify 2 dimensions, got 1", "area_range=[1]", {}),
        ("an area of zero", "Area range must be non-negative: .0, 1.", "area_range=[0,1]", {}),
        ("an area over the image's", "less then or equal to 1.0: .0.5, 1.5.", "area_range=[0.5,1.5]", {}),
        ("no attempts", "Max attempts must be positive and below 2^31: 0", "max_attempts=0", {}),
        ("attempts without end", "Max attempts must be positive and below 2^31: 4611686018427387904", "max_attempts=4611686018427387904", {})):
    message = message.replace("^", r"\^").replace("||", "|")
    print(f"op SampleDistortedBoundingBoxV2\nerror  {title}: INVALID_ARGUMENT /{message}/")
    if attrs:
        print(f"  attrs {attrs}")
    for key, value in (GOOD | other).items():
        print(f"  {key}: {value}")
print("op SampleDistortedBoundingBox\nerror  a negative share: INVALID_ARGUMENT /Min object covered must be non-negative: -0.5/\n  attrs min_object_covered=-0.5\n"
      "  image_size: i32[3] = 9 9 3\n  bounding_boxes: f32[1,1,4] = 0 0 1 1")

for op, more in (("DrawBoundingBoxes", {}), ("DrawBoundingBoxesV2", {"colors": np.float32([[9, 8, 7, 6], [1, 2, 3, 4]])})):
    print(f"\nop {op}")
    for depth in (1, 3, 4):
        run(op, f"{depth} channels", images=np.zeros((1, 5, 4, depth), np.float32), boxes=np.float32([[[0.2, 0.1, 0.9, 0.8]]]), **more)
    many = np.float32([[[0, 0, 1, 1]] + [[i / 12, i / 15, i / 12, 1] for i in range(12)]])
    run(op, "colours take turns", images=images("float32", 1, 13, 4, 3), boxes=many, **more)
    run(op, "over the edge, outside, turned round", images=images("float32", 1, 5, 5, 1), boxes=np.float32([[
        [-0.5, 0.2, 0.6, 1.5], [1.2, 0, 1.5, 1], [0, -2, 1, -1], [0.9, 0.9, 0.1, 0.1], [0.5, 0.5, 0.5, 0.5]]]), **more)
    run(op, "boxes of each image", images=np.zeros((2, 4, 4, 1), np.float32), boxes=np.float32([[[0, 0, 0.5, 0.5]], [[0.5, 0.5, 1, 1]]]), **more)
    run(op, "no boxes", images=images("float32", 1, 2, 2, 3), boxes=np.zeros((1, 0, 4), np.float32), **more)
    run(op, "half", images=np.zeros((1, 3, 3, 3), np.float16), boxes=np.float32([[[0, 0, 1, 1]]]), **more)
    run(op, "no pixels", images=np.zeros((1, 0, 3, 3), np.float32), boxes=np.float32([[[0, 0, 1, 1]]]), **more)
    run(op, "no numbers, and numbers beyond an integer", images=images("float32", 1, 4, 4, 1), boxes=np.float32([[
        [np.nan, 0, 0.7, 0.4], [-1e30, -1e30, 1e30, 1e30], [np.inf, 0, -np.inf, 1]]]), **more)
    colors = "\n  colors: f32[1,4] = 1" if more else ""
    for title, message, one, two in (("one image", "rank of the images should be 4", "f32[2,2,3] = 1", "f32[1,1,4] = 0"),
                                     ("one box", "rank of the boxes tensor should be 3", "f32[1,2,2,3] = 1", "f32[1,4] = 0"),
                                     ("boxes for another batch", "batch sizes should be the same", "f32[2,2,2,3] = 1", "f32[1,1,4] = 0"),
                                     ("two channels", "Channel depth should be either 1 .GRY., 3 .RGB., or 4 .RGBA., got f32.1,2,2,2.", "f32[1,2,2,2] = 1", "f32[1,1,4] = 0"),
                                     ("boxes of three", "must be 4. Received: 3", "f32[1,2,2,3] = 1", "f32[1,1,3] = 0")):
        print(f"error  {title}: INVALID_ARGUMENT /{message}/\n  images: {one}\n  boxes: {two}{colors}")
print("error  colours of two channels: INVALID_ARGUMENT /colors must have equal or more channels than the image provided: .1,2./\n"
      "  images: f32[1,2,2,3] = 1\n  boxes: f32[1,1,4] = 0\n  colors: f32[1,2] = 1")
print("error  a vector of colours: INVALID_ARGUMENT /colors must be a 2-D matrix.4./\n"
      "  images: f32[1,2,2,3] = 1\n  boxes: f32[1,1,4] = 0\n  colors: f32[4] = 1")
run("DrawBoundingBoxesV2", "no colours are the ten", images=np.zeros((1, 2, 2, 3), np.float32), boxes=np.float32([[[0, 0, 1, 1]]]), colors=np.zeros((0, 3), np.float32))
