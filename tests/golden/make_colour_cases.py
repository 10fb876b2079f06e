"""Writes tests/cases/image/colours.case: colours as TensorFlow adjusts and converts them.

Run: python make_colour_cases.py > ../cases/image/colours.case (needs tensorflow)."""
import numpy as np

from image_cases import BF16, images, numbers, run, session_run, tf


def colours(dtype, *shape):
    return np.abs(images("float32", *shape) / 2).astype(dtype)


def one(value):
    return np.array(value, np.float32)


EVERY_ORDER = np.float32([[.1, .5, .9], [.1, .9, .5], [.5, .1, .9], [.5, .9, .1], [.9, .1, .5], [.9, .5, .1],
                          [.4, .4, .7], [.7, .4, .4], [.4, .7, .4], [.7, .7, .4], [.4, .7, .7], [.7, .4, .7],
                          [.3, .3, .3], [0, 0, 0], [1, 1, 1], [0, .5, 1], [2, 4, 3], [.5, -.5, .25]]).reshape(3, 6, 3)
print("# Made by tests/golden/make_colour_cases.py: the expected values are TensorFlow's.")

print("\nop AdjustContrastv2")
run("AdjustContrastv2", "one image", images=images("float32", 3, 4, 3), contrast_factor=one(1.7))
run("AdjustContrastv2", "each channel of each image has a mean of its own", images=images("float32", 2, 2, 2, 2), contrast_factor=one(-0.5))
run("AdjustContrastv2", "five axes", images=images("float32", 2, 1, 2, 2, 1), contrast_factor=one(0))
run("AdjustContrastv2", "no pixels", images=images("float32", 2, 0, 2, 3), contrast_factor=one(2))
print("run  half\n  tolerance 2e-3\n  images: f16[1,2,1] = 1 2\n  contrast_factor: f32[] = 3\n  -> f16[1,2,1] = 0 3")
print("run  more pixels than one run of the sum\n  images: f32[130,130,1] = 0.25\n  contrast_factor: f32[] = 4\n  -> f32[130,130,1] = 0.25")

for op, by, values in (("AdjustHue", "delta", (0.3, -0.3, 1, 0, -0.95, 2.25)), ("AdjustSaturation", "scale", (0.3, 1, 2.5, 0, -1))):
    print(f"\nop {op}")
    for value in values:
        run(op, f"every order of channels, by {value}", images=EVERY_ORDER, **{by: one(value)})
    run(op, "a batch", images=colours("float32", 2, 1, 2, 3), **{by: one(0.6)})
    run(op, "no pixels", images=colours("float32", 2, 0, 2, 3), **{by: one(0.6)})
    half = colours("float16", 1, 2, 3)
    whole = session_run(lambda: getattr(tf.raw_ops, op)(images=half.astype(np.float32), **{by: one(0.6)}))
    print(f"run  half, of which TensorFlow has no kernel: as float\n  tolerance 2e-3\n  images: {numbers(half)}\n  {by}: f32[] = 0.6\n"
          f"  -> {numbers(whole.astype(np.float16))}")
for op, by in (("AdjustContrastv2", "contrast_factor"), ("AdjustHue", "delta"), ("AdjustSaturation", "scale")):
    print(f"\nop {op}\nerror  a matrix: INVALID_ARGUMENT /at least rank 3|at least 3-D/\n  images: f32[2,3] = 1\n  {by}: f32[] = 1")
    print(f"error  a vector to adjust by: INVALID_ARGUMENT /{by} must be scalar: .1./\n  images: f32[1,1,3] = 1\n  {by}: f32[1] = 1")
    if by != "contrast_factor":
        print(f"error  two channels: INVALID_ARGUMENT /input must have 3 channels but instead has 2 channels/\n  images: f32[1,1,2] = 1\n  {by}: f32[] = 1")

for op in ("RGBToHSV", "HSVToRGB"):
    print(f"\nop {op}")
    run(op, "every order of channels", images=EVERY_ORDER)
    run(op, "a pixel", images=colours("float32", 3))
    run(op, "no pixels", images=colours("float32", 0, 3))
    for dtype, tolerance in (("float64", None), ("float16", 4e-3), (BF16, 3e-2)):
        run(op, np.dtype(dtype).name, None, tolerance, images=colours(dtype, 2, 2, 3))
    print("error  a scalar: INVALID_ARGUMENT /at least rank 1|at least 1D/\n  images: f32[] = 1")
    print("error  two channels: INVALID_ARGUMENT /are 2 and 3|only has 2/\n  images: f32[4,2] = 1")
print("\nop RGBToHSV\ngradient  where no channels are equal\n  tolerance 2e-2\n"
      "  images: f64[6,3] = .1 .5 .9 .1 .9 .5 .5 .1 .9 .5 .9 .1 .9 .1 .5 .9 .5 .1")
