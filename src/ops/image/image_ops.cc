// The list of the family's ops.
#include "ops/image/image_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterImageOps(OpRegistry& registry) {
  for (auto make : {AdjustContrastOps, DrawBoxOps, HsvOps, ResizeAreaOps, ResizeBicubicOps, ResizeBilinearOps,
                    ResizeNearestOps, SampleBoxOps}) {
    for (OpDefinition& op : make()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
