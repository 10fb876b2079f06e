#include "kernel/broadcast.h"

namespace headrace {
namespace {

// The extent of dimension `d`, counted from the innermost, of a shape padded with ones.
int64_t ExtentFromEnd(const Shape& shape, int d) { return d < shape.rank() ? shape.dim(shape.rank() - 1 - d) : 1; }

}  // namespace

Result<Broadcast> Broadcast::Make(std::initializer_list<const Shape*> operands) {
  Broadcast broadcast;
  broadcast.output_ = **operands.begin();
  for (auto operand = operands.begin() + 1; operand != operands.end(); ++operand) {
    HR_RETURN_IF_ERROR(broadcast.Extend(**operand));
  }
  broadcast.Fold(operands);
  if (broadcast.too_many_) return Unimplemented("Broadcast to ", broadcast.output_, " is not supported yet.");
  return broadcast;
}

Status Broadcast::Extend(const Shape& operand) {
  const int rank = std::max(output_.rank(), operand.rank());
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  for (int d = 0; d < rank; ++d) {
    const int64_t mine = ExtentFromEnd(output_, d), other = ExtentFromEnd(operand, d);
    if (mine != other && mine != 1 && other != 1) {
      return InvalidArgument("Incompatible shapes: ", output_, " vs. ", operand);
    }
    dims[static_cast<size_t>(rank - 1 - d)] = mine == 1 ? other : mine;
  }
  HR_ASSIGN_OR_RETURN(output_, Shape::Make(dims));
  return OkStatus();
}

void Broadcast::Fold(std::initializer_list<const Shape*> operands) {
  rank_ = 0;
  std::array<bool, kMaxOperands> previous{};
  Offsets sizes;  // elements of each operand inside the dimensions seen so far
  sizes.fill(1);
  for (int d = 0; d < output_.rank(); ++d) {
    const int64_t extent = ExtentFromEnd(output_, d);
    if (extent == 1) continue;
    std::array<bool, kMaxOperands> stands{};
    size_t i = 0;
    for (const Shape* operand : operands) stands[i++] = ExtentFromEnd(*operand, d) == 1;
    if (rank_ > 0 && stands == previous) {
      extents_[static_cast<size_t>(rank_ - 1)] *= extent;
    } else if (rank_ == kMaxFolded) {
      too_many_ = true;
      return;
    } else {
      const size_t folded = static_cast<size_t>(rank_++);
      extents_[folded] = extent;
      for (size_t k = 0; k < kMaxOperands; ++k) strides_[folded][k] = stands[k] ? 0 : sizes[k];
      previous = stands;
    }
    for (size_t k = 0; k < kMaxOperands; ++k) sizes[k] *= stands[k] ? 1 : extent;
  }
  if (rank_ == 0) rank_ = 1, extents_[0] = 1;
}

}  // namespace headrace
