#include "kernel/reduce.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr int64_t kChunkElements = 1 << 16;  // of the input, one accumulator each where the outermost axis is reduced
constexpr int64_t kMaxChunkAccumulators = 1 << 20;  // over all chunks

/// Axes folded to alternating kinds, outermost first.
struct Folded {
  std::vector<int64_t> extents;
  std::vector<bool> reduced;
  std::vector<int64_t> input_strides;
  std::vector<int64_t> output_strides;  // 0 for reduced axes
  int64_t num_outputs = 1;
  int64_t group = 1;  // elements that one result is made of
};

Folded Fold(const Shape& shape, const std::vector<bool>& reduced) {
  Folded folded;
  for (int d = 0; d < shape.rank(); ++d) {
    const bool is_reduced = reduced[static_cast<size_t>(d)];
    (is_reduced ? folded.group : folded.num_outputs) *= shape.dim(d);
    if (shape.dim(d) == 1) continue;
    if (!folded.extents.empty() && folded.reduced.back() == is_reduced) {
      folded.extents.back() *= shape.dim(d);
    } else {
      folded.extents.push_back(shape.dim(d));
      folded.reduced.push_back(is_reduced);
    }
  }
  if (folded.extents.empty()) folded.extents.push_back(1), folded.reduced.push_back(true);
  const size_t rank = folded.extents.size();
  folded.input_strides.resize(rank);
  folded.output_strides.resize(rank);
  int64_t input_stride = 1, output_stride = 1;
  for (size_t d = rank; d-- > 0;) {
    folded.input_strides[d] = input_stride;
    folded.output_strides[d] = folded.reduced[d] ? 0 : output_stride;
    input_stride *= folded.extents[d];
    if (!folded.reduced[d]) output_stride *= folded.extents[d];
  }
  return folded;
}

/// Walks indices [begin, end) of the outermost axis and all of the others.
class Walk {
 public:
  Walk(const ReduceLoops& loops, const Folded& folded) : loops_(loops), folded_(folded) {}

  void Run(const void* input, int64_t begin, int64_t end, void* accumulators) const {
    const size_t inner = folded_.extents.size() - 1;
    if (inner == 0) return Innermost(input, begin, end - begin, accumulators, folded_.reduced[0] ? 0 : begin);
    std::vector<int64_t> index(inner, 0);
    for (int64_t i = begin; i < end; ++i) {
      Slice(input, i * folded_.input_strides[0], accumulators, i * folded_.output_strides[0], index);
    }
  }

 private:
  void Innermost(const void* input, int64_t from, int64_t count, void* accumulators, int64_t to) const {
    const char* elements = static_cast<const char*>(input) + from * loops_.element_size;
    char* results = static_cast<char*>(accumulators) + to * loops_.accumulator_size;
    (folded_.reduced.back() ? loops_.run : loops_.row)(elements, count, results);
  }

  // All of the axes inside the outermost.
  void Slice(const void* input, int64_t from, void* accumulators, int64_t to, std::vector<int64_t>& index) const {
    const size_t inner = folded_.extents.size() - 1;
    while (true) {
      Innermost(input, from, folded_.extents[inner], accumulators, to);
      size_t d = inner;
      while (--d > 0) {
        from += folded_.input_strides[d];
        to += folded_.output_strides[d];
        if (++index[d] < folded_.extents[d]) break;
        from -= folded_.extents[d] * folded_.input_strides[d];
        to -= folded_.extents[d] * folded_.output_strides[d];
        index[d] = 0;
      }
      if (d == 0) return;
    }
  }

  const ReduceLoops& loops_;
  const Folded& folded_;
};

Result<Tensor> AllocateAccumulators(KernelContext& context, const ReduceLoops& loops, int64_t count) {
  const int64_t sizes[] = {count, loops.accumulator_size};
  HR_ASSIGN_OR_RETURN(Shape shape, Shape::Make(sizes));
  return context.AllocateTemporary(DType::kUint8, shape);
}

// The outermost axis is kept: its indices are independent.
Status ReduceKeptFirst(KernelContext& context, const ReduceLoops& loops, const Folded& folded, const void* input,
                       void* results) {
  HR_ASSIGN_OR_RETURN(Tensor accumulators, AllocateAccumulators(context, loops, folded.num_outputs));
  void* all = accumulators.mutable_raw();
  const Walk walk(loops, folded);
  const int64_t per_index = folded.output_strides[0];
  context.ParallelFor(folded.extents[0], static_cast<double>(folded.input_strides[0]), [&](int64_t begin, int64_t end) {
    char* mine = static_cast<char*>(all) + begin * per_index * loops.accumulator_size;
    loops.start(mine, (end - begin) * per_index);
    walk.Run(input, begin, end, all);
    char* out = static_cast<char*>(results) + begin * per_index * loops.element_size;
    loops.finish(mine, (end - begin) * per_index, folded.group, out);
  });
  return OkStatus();
}

// The outermost axis is reduced: chunks of it have accumulators of their own, merged in order.
Status ReduceReducedFirst(KernelContext& context, const ReduceLoops& loops, const Folded& folded, const void* input,
                          void* results) {
  const int64_t extent = folded.extents[0];
  int64_t per_chunk = std::max<int64_t>(1, kChunkElements / std::max<int64_t>(1, folded.input_strides[0]));
  const int64_t max_chunks = std::max<int64_t>(1, kMaxChunkAccumulators / folded.num_outputs);
  per_chunk = std::max(per_chunk, (extent + max_chunks - 1) / max_chunks);
  const int64_t chunks = (extent + per_chunk - 1) / per_chunk;
  HR_ASSIGN_OR_RETURN(Tensor accumulators, AllocateAccumulators(context, loops, chunks * folded.num_outputs));
  char* all = static_cast<char*>(accumulators.mutable_raw());
  const int64_t chunk_bytes = folded.num_outputs * loops.accumulator_size;
  const Walk walk(loops, folded);
  context.ParallelFor(
      chunks, static_cast<double>(per_chunk * folded.input_strides[0]), [&](int64_t begin, int64_t end) {
        for (int64_t chunk = begin; chunk < end; ++chunk) {
          loops.start(all + chunk * chunk_bytes, folded.num_outputs);
          walk.Run(input, chunk * per_chunk, std::min(extent, (chunk + 1) * per_chunk), all + chunk * chunk_bytes);
        }
      });
  for (int64_t chunk = 1; chunk < chunks; ++chunk) loops.merge(all + chunk * chunk_bytes, folded.num_outputs, all);
  loops.finish(all, folded.num_outputs, folded.group, results);
  return OkStatus();
}

}  // namespace

Result<std::vector<bool>> ReducedAxes(int rank, const Tensor& axes) {
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t i = 0; i < axes.num_elements(); ++i) {
    const size_t at = static_cast<size_t>(i);
    const int64_t axis = axes.dtype() == DType::kInt64 ? axes.data<int64_t>()[at] : axes.data<int32_t>()[at];
    if (axis < -rank || axis >= rank) {
      return InvalidArgument("Invalid reduction dimension (", axis, " for input with ", rank, " dimension(s)");
    }
    const size_t index = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    if (reduced[index])
      return InvalidArgument("Invalid reduction arguments: Axes contains duplicate dimension: ", index);
    reduced[index] = true;
  }
  return reduced;
}

Shape ReducedShape(const Shape& input, const std::vector<bool>& reduced, bool keep_dims) {
  Shape shape;
  for (int d = 0; d < input.rank(); ++d) {
    if (!reduced[static_cast<size_t>(d)]) {
      shape.AppendDim(input.dim(d));
    } else if (keep_dims) {
      shape.AppendDim(1);
    }
  }
  return shape;
}

Status Reduce(KernelContext& context, const ReduceLoops& loops, const Tensor& input, const std::vector<bool>& reduced,
              void* results) {
  const Folded folded = Fold(input.shape(), reduced);
  if (folded.num_outputs == 0) return OkStatus();
  if (input.num_elements() == 0) {  // every result is made of nothing
    HR_ASSIGN_OR_RETURN(Tensor accumulators, AllocateAccumulators(context, loops, folded.num_outputs));
    loops.start(accumulators.mutable_raw(), folded.num_outputs);
    loops.finish(accumulators.raw(), folded.num_outputs, folded.group, results);
    return OkStatus();
  }
  return folded.reduced[0] ? ReduceReducedFirst(context, loops, folded, input.raw(), results)
                           : ReduceKeptFirst(context, loops, folded, input.raw(), results);
}

}  // namespace headrace
