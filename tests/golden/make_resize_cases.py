"""Writes tests/cases/image/resize_*.case: small images as TensorFlow resizes them, and the gradients.

Run: for m in bilinear nearest bicubic area; do python make_resize_cases.py $m > ../cases/image/resize_$m.case; done (needs tensorflow)."""
import sys

import numpy as np

from image_cases import BF16, images, run

MODES = {"corners at corners": {}, "corner pixels aligned": {"align_corners": True}, "pixels by their middles": {"half_pixel_centers": True}}


def errors(op, second="size: i32[2] = 2 2"):
    first = "grads" if op.endswith("Grad") else "images"
    for title, message, one, two in (("a matrix", "rank|4-dimensional", "f32[2,2] = 1", "i32[2] = 2 2"),
                                     ("three extents", "must have two elements|must be 2 but is 3", "f32[1,2,2,1] = 1", "i32[3] = 2"),
                                     ("a matrix of extents", "rank 1|1-dimensional", "f32[1,2,2,1] = 1", "i32[1,2] = 2"),
                                     ("an extent of zero", "must be positive, got height=2 width=0", "f32[1,2,2,1] = 1", "i32[2] = 2 0"),
                                     ("a negative extent", "must be positive, got height=-7 width=2", "f32[1,2,2,1] = 1", "i32[2] = -7 2")):
        print(f"error  {title}: INVALID_ARGUMENT /{message}/\n  {first}: {one}\n  size: {two}")
    if first == "images":
        print(f"error  images without pixels: INVALID_ARGUMENT /must be of non-zero size, got f32.1,0,2,1./\n  images: f32[1,0,2,1] =\n  {second}")
        print(f"error  images without channels: INVALID_ARGUMENT /at least one channel/\n  images: f32[1,2,2,0] =\n  {second}")


def both_modes(op, **inputs):
    print("error  both modes: INVALID_ARGUMENT /If half_pixel_centers is True, align_corners must be False/\n"
          "  attrs align_corners=true half_pixel_centers=true")
    for key, value in inputs.items():
        print(f"  {key}: {value}")


def grad_errors(op):
    both_modes(op, grads="f32[1,2,2,1] = 1", original_image="f32[1,2,2,1] = 1")
    for title, message, one, two in (("a matrix", "input_grad must be 4-dimensional.2,2.", "f32[2,2] = 1", "f32[1,2,2,1] = 1"),
                                     ("an image of another rank", "original_image must be 4-dimensional.2,2.", "f32[1,2,2,1] = 1", "f32[2,2] = 1"),
                                     ("other channels", "differ: f32.1,2,2,1., f32.1,2,2,2.", "f32[1,2,2,1] = 1", "f32[1,2,2,2] = 1"),
                                     ("no gradients", "resized dimensions must be positive", "f32[1,0,2,1] =", "f32[1,2,2,1] = 1"),
                                     ("no pixels", "original dimensions must be positive", "f32[1,2,2,1] = 1", "f32[1,2,0,1] =")):
        print(f"error  {title}: INVALID_ARGUMENT /{message}/\n  grads: {one}\n  original_image: {two}")


def forward(op, dtypes, modes=MODES):
    print(f"\nop {op}")
    for title, attrs in modes.items():
        run(op, f"larger, {title}", attrs, images=images("float32", 2, 2, 3, 2), size=np.int32([3, 5]))
        run(op, f"smaller, {title}", attrs, images=images("float32", 1, 5, 7, 1), size=np.int32([2, 3]))
        run(op, f"a pixel, {title}", attrs, images=images("float32", 1, 3, 2, 1), size=np.int32([1, 1]))
    run(op, "one pixel, with its corners at all", {"align_corners": True}, images=images("float32", 1, 1, 1, 2), size=np.int32([2, 3]))
    run(op, "as large as before", images=images("float32", 1, 2, 2, 2), size=np.int32([2, 2]))
    run(op, "colours", images=images("float32", 1, 2, 3, 3), size=np.int32([3, 4]))
    run(op, "five channels", images=images("float32", 1, 2, 2, 5), size=np.int32([3, 3]))
    run(op, "no images", images=images("float32", 0, 2, 2, 1), size=np.int32([3, 3]))
    for dtype in dtypes:
        run(op, np.dtype(dtype).name, images=images(dtype, 1, 2, 3, 3), size=np.int32([3, 4]))
    errors(op)
    if len(modes) > 2:
        both_modes(op, images="f32[1,2,2,1] = 1", size="i32[2] = 3 3")


ALL = ("int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float64", BF16)


def bilinear():
    forward("ResizeBilinear", ALL)
    print("gradient  larger\n  tolerance 1e-2\n  images: f32[1,2,3,2] = random\n  size: i32[2] = 5 4\n"
          "gradient  smaller, by middles\n  attrs half_pixel_centers=true\n  tolerance 1e-2\n  images: f32[1,4,5,1] = random\n  size: i32[2] = 2 3")

    print("\nop ResizeBilinearGrad")
    for title, attrs in MODES.items():
        run("ResizeBilinearGrad", f"of larger images, {title}", attrs, grads=images("float32", 2, 3, 5, 2), original_image=images("float32", 2, 2, 3, 2))
        run("ResizeBilinearGrad", f"of smaller images, {title}", attrs, grads=images("float32", 1, 2, 2, 1), original_image=images("float32", 1, 3, 5, 1))
    for dtype, tolerance in (("float64", 1e-6), ("float16", 2e-3), (BF16, 2e-2)):
        run("ResizeBilinearGrad", np.dtype(dtype).name, None, tolerance, grads=images("float32", 1, 3, 3, 3), original_image=images(dtype, 1, 2, 2, 3))
    grad_errors("ResizeBilinearGrad")


def nearest():
    forward("ResizeNearestNeighbor", ALL)
    print("gradient  larger\n  tolerance 1e-2\n  images: f32[1,2,3,2] = random\n  size: i32[2] = 5 4\n"
          "gradient  smaller\n  tolerance 1e-2\n  images: f32[1,4,5,1] = random\n  size: i32[2] = 2 3")

    print("\nop ResizeNearestNeighborGrad")
    for title, attrs in MODES.items():
        run("ResizeNearestNeighborGrad", f"of larger images, {title}", attrs, grads=images("float32", 2, 3, 5, 2), size=np.int32([2, 3]))
        run("ResizeNearestNeighborGrad", f"of smaller images, {title}", attrs, grads=images("float32", 1, 2, 2, 1), size=np.int32([3, 5]))
    for dtype in ("uint8", "int8", "int32", "float16", "float64", BF16):
        run("ResizeNearestNeighborGrad", np.dtype(dtype).name, None, 2e-2 if dtype in ("float16", BF16) else None, grads=images(dtype, 1, 4, 4, 3), size=np.int32([2, 2]))
    run("ResizeNearestNeighborGrad", "bytes wrap round", grads=np.full((1, 2, 2, 1), 200, np.uint8), size=np.int32([1, 1]))
    run("ResizeNearestNeighborGrad", "no gradients are zeros", grads=images("float32", 1, 0, 2, 1), size=np.int32([2, 2]))
    errors("ResizeNearestNeighborGrad")
    both_modes("ResizeNearestNeighborGrad", grads="f32[1,2,2,1] = 1", size="i32[2] = 3 3")


def bicubic():
    forward("ResizeBicubic", ALL)
    print("gradient  larger\n  tolerance 1e-2\n  images: f32[1,2,3,2] = random\n  size: i32[2] = 5 4\n"
          "gradient  smaller, by middles\n  attrs half_pixel_centers=true\n  tolerance 1e-2\n  images: f32[1,4,5,1] = random\n  size: i32[2] = 2 3")

    print("\nop ResizeBicubicGrad")
    for title, attrs in MODES.items():
        run("ResizeBicubicGrad", f"of larger images, {title}", attrs, grads=images("float32", 2, 3, 5, 2), original_image=images("float32", 2, 2, 3, 2))
        run("ResizeBicubicGrad", f"of smaller images, {title}", attrs, grads=images("float32", 1, 2, 2, 1), original_image=images("float32", 1, 5, 9, 1))
    run("ResizeBicubicGrad", "float64", None, 1e-5, grads=images("float32", 1, 3, 3, 3), original_image=images("float64", 1, 2, 2, 3))
    grad_errors("ResizeBicubicGrad")


def area():
    forward("ResizeArea", ALL, {title: MODES[title] for title in list(MODES)[:2]})


print("# Made by tests/golden/make_resize_cases.py: the expected values are TensorFlow's.")
{"bilinear": bilinear, "nearest": nearest, "bicubic": bicubic, "area": area}[sys.argv[1]]()
