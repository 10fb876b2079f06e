// What CropAndResize and its gradients share: reading the boxes, and where the pixels of a crop lie in the image.
#pragma once

#include <cmath>

#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// Images [batch, height, width, channels], and `boxes` crops of them [boxes, crop_height, crop_width, channels].
struct CropExtents {
  int64_t batch, height, width, channels;
  int64_t boxes, crop_height, crop_width;
};

/// Checks boxes [n, 4] and which image each is of [n]. Errors: kInvalidArgument; kOutOfRange for an image outside [0, batch).
Status CheckBoxes(const Tensor& boxes, const Tensor& box_ind, int64_t batch);

/// One axis of a crop: the places of its pixels among the image's.
struct CropAxis {
  CropAxis(float from, float to, int64_t image, int64_t crop)
      : last(static_cast<float>(image - 1)),
        step(crop > 1 ? (to - from) * last / static_cast<float>(crop - 1) : 0.0F),
        first(crop > 1 ? from * last : 0.5F * (from + to) * last) {}
  float At(int64_t i) const { return first + static_cast<float>(i) * step; }
  /// False also for NaN.
  bool IsWithin(float place) const { return place >= 0 && place <= last; }

  float last, step, first;
};

/// A place between pixels `lower` and `upper`.
struct CropPlace {
  explicit CropPlace(float place)
      : lower(static_cast<int64_t>(std::floor(place))),
        upper(static_cast<int64_t>(std::ceil(place))),
        weight(place - std::floor(place)) {}
  int64_t lower, upper;
  float weight;
};

}  // namespace headrace
