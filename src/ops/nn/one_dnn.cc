#include "ops/nn/one_dnn.h"

#include <algorithm>
#include <utility>

namespace headrace::one_dnn {

namespace {

// Asks for scratch memory that the caller brings: oneDNN's own belongs to the thread that made the primitive.
dnnl_primitive_attr_t UserScratch() {
  static const dnnl_primitive_attr_t attr = [] {
    dnnl_primitive_attr_t made = nullptr;
    if (dnnl_primitive_attr_create(&made) == dnnl_success)
      dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user);
    return made;
  }();
  return attr;
}

}  // namespace

Status Check(dnnl_status_t status, const char* what) {
  if (status == dnnl_success) return OkStatus();
  if (status == dnnl_unimplemented) return Unimplemented("oneDNN has no ", what, " for this convolution");
  if (status == dnnl_out_of_memory) return ResourceExhausted("oneDNN is out of memory for ", what);
  return Internal("oneDNN fails to make or run ", what, ": status ", static_cast<int>(status));
}

// Kept: primitives refer to it.
Result<dnnl_engine_t> Engine() {
  static const std::pair<dnnl_status_t, dnnl_engine_t> made = [] {
    dnnl_engine_t engine = nullptr;
    const dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    return std::pair(status, engine);
  }();
  HR_RETURN_IF_ERROR(Check(made.first, "an engine"));
  return made.second;
}

Result<Layout> Layout::Make(std::span<const int64_t> dims, dnnl_format_tag_t tag) {
  dnnl_dims_t extents = {};
  std::copy(dims.begin(), dims.end(), extents);
  Layout layout;
  const int rank = static_cast<int>(dims.size());
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_t made = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_memory_desc_create_with_tag(&made, rank, extents, dnnl_f32, tag), "a layout"));
  layout.desc_.reset(made);
#else
  HR_RETURN_IF_ERROR(Check(dnnl_memory_desc_init_by_tag(&layout.desc_, rank, extents, dnnl_f32, tag), "a layout"));
#endif
  return layout;
}

Result<Layout> Layout::Of(const PrimitiveDesc& desc, dnnl_query_t query, const char* what) {
  const Pointer found = dnnl_primitive_desc_query_md(desc.get(), query, 0);
  if (found == nullptr) return Internal("oneDNN does not say how ", what, " is stored");
  Layout layout;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_t copy = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_memory_desc_clone(&copy, found), "a layout"));
  layout.desc_.reset(copy);
#else
  layout.desc_ = *found;
#endif
  return layout;
}

Layout::Pointer Layout::get() const {
#if DNNL_VERSION_MAJOR >= 3
  return desc_.get();
#else
  return &desc_;
#endif
}

Result<PrimitiveDesc> DescribeConvolution(ConvolutionPass pass, const ConvolutionOperands& o,
                                          const PrimitiveDesc& forward) {
  HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
  dnnl_primitive_desc_t made = nullptr;
  dnnl_status_t status = dnnl_success;
#if DNNL_VERSION_MAJOR >= 3
  if (pass == ConvolutionPass::kForward) {
    status = dnnl_convolution_forward_primitive_desc_create(
        &made, engine, dnnl_forward_training, dnnl_convolution_direct, o.in, o.filter, nullptr, o.out, o.strides,
        o.dilates, o.pads_before, o.pads_after, UserScratch());
  } else if (pass == ConvolutionPass::kBackwardInput) {
    status = dnnl_convolution_backward_data_primitive_desc_create(&made, engine, dnnl_convolution_direct, o.in,
                                                                  o.filter, o.out, o.strides, o.dilates, o.pads_before,
                                                                  o.pads_after, forward.get(), UserScratch());
  } else {
    status = dnnl_convolution_backward_weights_primitive_desc_create(
        &made, engine, dnnl_convolution_direct, o.in, o.filter, nullptr, o.out, o.strides, o.dilates, o.pads_before,
        o.pads_after, forward.get(), UserScratch());
  }
#else
  dnnl_convolution_desc_t desc;
  if (pass == ConvolutionPass::kForward) {
    status = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, o.in,
                                                        o.filter, nullptr, o.out, o.strides, o.dilates, o.pads_before,
                                                        o.pads_after);
  } else if (pass == ConvolutionPass::kBackwardInput) {
    status = dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, o.in, o.filter, o.out,
                                                              o.strides, o.dilates, o.pads_before, o.pads_after);
  } else {
    status =
        dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, o.in, o.filter, nullptr,
                                                            o.out, o.strides, o.dilates, o.pads_before, o.pads_after);
  }
  HR_RETURN_IF_ERROR(Check(status, "a description"));
  status = dnnl_primitive_desc_create(&made, &desc, UserScratch(), engine, forward.get());
#endif
  HR_RETURN_IF_ERROR(Check(status, "an implementation"));
  return PrimitiveDesc(made);
}

}  // namespace headrace::one_dnn
