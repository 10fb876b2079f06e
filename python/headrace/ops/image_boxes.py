"""Boxes in images: [..., 4], each y and x from, y and x to, as shares of the image's height and width."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op


def sample_distorted_bounding_box(image_size, bounding_boxes, seed=None, seed2=None, min_object_covered=0.1,
                                  aspect_ratio_range=None, area_range=None, max_attempts=None,
                                  use_image_if_no_bounding_boxes=None, name=None):
    """A random part of an image [height, width, channels] that shows at least `min_object_covered` of one of the boxes.

    Returns (begin, size, bboxes): the first two for tf.slice, the third for draw_bounding_boxes. The boxes, [1, n, 4], are y
    and x from and to, as shares of the image. A part's share of the area and its ratio of width to height are within the
    ranges, by default [0.05, 1] and [0.75, 1.33]; where `max_attempts`, by default 100, find none, it is the whole image.
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


def crop_and_resize(image, boxes, box_ind=None, crop_size=None, method="bilinear", extrapolation_value=0, name=None,
                    box_indices=None):
    """The parts of a batch of images in boxes [n, 4], all resized to `crop_size`; box i is of image `box_indices[i]`."""
    if box_ind is not None and box_indices is not None:
        raise ValueError("Cannot specify both 'box_indices' and 'box_ind'.")
    return apply_op("CropAndResize", image, boxes, box_ind if box_indices is None else box_indices, crop_size, method=method,
                    extrapolation_value=extrapolation_value, name=name)


def non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), name=None):
    """The indices of the boxes [n, 4] of the highest scores, without those that overlap a better one too much."""
    with name_scope(name or "non_max_suppression"):
        iou_threshold = convert_to_tensor(iou_threshold, name="iou_threshold")
        score_threshold = convert_to_tensor(score_threshold, name="score_threshold")
        return apply_op("NonMaxSuppressionV3", boxes, scores, max_output_size, iou_threshold, score_threshold)


def non_max_suppression_with_scores(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"),
                                    soft_nms_sigma=0.0, name=None):
    """(indices, scores) as non_max_suppression; with a sigma, scores fall with the overlap instead."""
    with name_scope(name or "non_max_suppression_with_scores"):
        limits = [convert_to_tensor(value, name=key) for key, value in (
            ("iou_threshold", iou_threshold), ("score_threshold", score_threshold), ("soft_nms_sigma", soft_nms_sigma))]
        indices, kept, _ = apply_op("NonMaxSuppressionV5", boxes, scores, max_output_size, *limits,
                                    pad_to_max_output_size=False)
        return indices, kept
