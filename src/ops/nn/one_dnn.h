// What the oneDNN versions 2 and 3 do differently, behind one face: layouts of memory, and descriptions of convolutions.
#pragma once

#include <dnnl.h>

#include <memory>
#include <span>
#include <type_traits>

#include "base/status.h"

namespace headrace::one_dnn {

template <auto kDestroy> struct Destroy {
  template <typename P> void operator()(P* p) const { kDestroy(p); }
};
template <typename Handle, auto kDestroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<kDestroy>>;
using Primitive = Owned<dnnl_primitive_t, dnnl_primitive_destroy>;
using PrimitiveDesc = Owned<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;

/// Errors: kUnimplemented where oneDNN has nothing of the kind, kResourceExhausted, kInternal; `what` is what was asked for.
Status Check(dnnl_status_t status, const char* what);

/// The processor; made once.
Result<dnnl_engine_t> Engine();

/// How a float tensor lies in memory. Immutable.
class Layout {
 public:
#if DNNL_VERSION_MAJOR >= 3
  using Pointer = const_dnnl_memory_desc_t;
#else
  using Pointer = const dnnl_memory_desc_t*;
#endif

  Layout() = default;
  static Result<Layout> Make(std::span<const int64_t> dims, dnnl_format_tag_t tag);
  /// A copy of what a primitive's description says; `what` is its name in the error for none.
  static Result<Layout> Of(const PrimitiveDesc& desc, dnnl_query_t query, const char* what);

  Pointer get() const;
  int64_t bytes() const { return static_cast<int64_t>(dnnl_memory_desc_get_size(get())); }

 private:
#if DNNL_VERSION_MAJOR >= 3
  Owned<dnnl_memory_desc_t, dnnl_memory_desc_destroy> desc_;
#else
  dnnl_memory_desc_t desc_ = {};
#endif
};

enum class ConvolutionPass { kForward, kBackwardInput, kBackwardFilter };

/// A convolution's operands, and its windows over the rows and columns.
struct ConvolutionOperands {
  Layout::Pointer in = nullptr, filter = nullptr, out = nullptr;
  dnnl_dims_t strides = {}, dilates = {}, pads_before = {}, pads_after = {};
};

/// The best that oneDNN has for a pass; it brings no scratch memory of its own. `forward` is null, or, for the backward passes, the
/// forward pass of the same convolution.
Result<PrimitiveDesc> DescribeConvolution(ConvolutionPass pass, const ConvolutionOperands& operands,
                                          const PrimitiveDesc& forward);

}  // namespace headrace::one_dnn
