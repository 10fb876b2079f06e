// The definitions of this family, one function for each file of them; image_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> AdjustContrastOps();  // adjust_contrast.cc
std::vector<OpDefinition> DrawBoxOps();         // draw_boxes.cc
std::vector<OpDefinition> HsvOps();             // hsv.cc
std::vector<OpDefinition> ResizeAreaOps();      // resize_area.cc
std::vector<OpDefinition> ResizeBicubicOps();   // resize_bicubic.cc
std::vector<OpDefinition> ResizeBilinearOps();  // resize_bilinear.cc
std::vector<OpDefinition> ResizeNearestOps();   // resize_nearest.cc
std::vector<OpDefinition> SampleBoxOps();       // sample_box.cc

}  // namespace headrace
