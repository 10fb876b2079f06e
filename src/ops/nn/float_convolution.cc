#include "ops/nn/float_convolution.h"

#include <array>
#include <span>
#include <utility>

#include "kernel/gemm.h"

namespace headrace {

namespace {

Status Check(dnnl_status_t status, const char* what) {
  if (status == dnnl_success) return OkStatus();
  if (status == dnnl_unimplemented) return Unimplemented("oneDNN has no ", what, " for this convolution");
  if (status == dnnl_out_of_memory) return ResourceExhausted("oneDNN is out of memory for ", what);
  return Internal("oneDNN fails to make or run ", what, ": status ", static_cast<int>(status));
}

// Made once and kept: primitives refer to it.
Result<dnnl_engine_t> Engine() {
  static const std::pair<dnnl_status_t, dnnl_engine_t> made = [] {
    dnnl_engine_t engine = nullptr;
    const dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    return std::pair(status, engine);
  }();
  HR_RETURN_IF_ERROR(Check(made.first, "an engine"));
  return made.second;
}

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

Status Describe(std::span<const int64_t> dims, dnnl_format_tag_t tag, dnnl_memory_desc_t* desc) {
  dnnl_dims_t extents = {};
  std::copy(dims.begin(), dims.end(), extents);
  return Check(dnnl_memory_desc_init_by_tag(desc, static_cast<int>(dims.size()), extents, dnnl_f32, tag), "a layout");
}

}  // namespace

// One execution: the memories and the stream it takes.
struct FloatConvolution::Call {
  std::array<Owned<dnnl_memory_t, dnnl_memory_destroy>, 4> memories;
  std::array<dnnl_exec_arg_t, 4> args = {};
  size_t count = 0;

  Status Add(int what, const dnnl_memory_desc_t& desc, const void* data) {
    HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
    dnnl_memory_t memory = nullptr;
    HR_RETURN_IF_ERROR(Check(dnnl_memory_create(&memory, &desc, engine, const_cast<void*>(data)), "a memory"));
    memories[count].reset(memory);
    args[count++] = {.arg = what, .memory = memory};
    return OkStatus();
  }
  Status Run(const Primitive& primitive) const {
    HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
    dnnl_stream_t made = nullptr;
    HR_RETURN_IF_ERROR(Check(dnnl_stream_create(&made, engine, dnnl_stream_default_flags), "a stream"));
    const Owned<dnnl_stream_t, dnnl_stream_destroy> stream(made);
    KeepLibrariesSingleThreaded();
    return Check(dnnl_primitive_execute(primitive.get(), made, static_cast<int>(count), args.data()), "a primitive");
  }
};

Result<std::shared_ptr<const FloatConvolution>> FloatConvolution::Make(ConvolutionPass pass,
                                                                       const ConvolutionShape& shape) {
  KeepLibrariesSingleThreaded();  // its scratch memory grows with the threads that it expects
  auto made = std::make_shared<FloatConvolution>();
  made->pass_ = pass;
  HR_RETURN_IF_ERROR(made->Init(shape));
  return std::shared_ptr<const FloatConvolution>(std::move(made));
}

Status FloatConvolution::Init(const ConvolutionShape& shape) {
  const dnnl_format_tag_t image = shape.layout.nchw ? dnnl_nchw : dnnl_nhwc;
  const WindowDim &rows = shape.rows, &columns = shape.columns;
  HR_RETURN_IF_ERROR(headrace::Describe(std::array{shape.batch, shape.in_channels, rows.in, columns.in}, image, &in_));
  HR_RETURN_IF_ERROR(
      headrace::Describe(std::array{shape.batch, shape.out_channels, rows.out, columns.out}, image, &out_));
  const std::array filter = {shape.groups, shape.group_out(), shape.group_in(), rows.filter, columns.filter};
  const std::span<const int64_t> dims = std::span(filter).subspan(shape.groups == 1 ? 1 : 0);
  HR_RETURN_IF_ERROR(headrace::Describe(dims, shape.groups == 1 ? dnnl_hwio : dnnl_hwigo, &plain_filter_));
  HR_RETURN_IF_ERROR(headrace::Describe(dims, dnnl_format_tag_any, &filter_));
  HR_ASSIGN_OR_RETURN(PrimitiveDesc desc, Describe(shape, ConvolutionPass::kForward, nullptr));
  if (pass_ != ConvolutionPass::kForward) {
    HR_ASSIGN_OR_RETURN(desc, Describe(shape, pass_, desc.get()));
  }
  const bool gradient = pass_ == ConvolutionPass::kBackwardFilter;
  const dnnl_memory_desc_t* chosen =
      dnnl_primitive_desc_query_md(desc.get(), gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  const dnnl_memory_desc_t* scratch = dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0);
  if (chosen == nullptr || scratch == nullptr)
    return Internal("oneDNN does not say how a convolution stores its filter");
  filter_ = *chosen;
  scratch_ = *scratch;
  filter_bytes_ = static_cast<int64_t>(dnnl_memory_desc_get_size(&filter_));
  scratch_bytes_ = static_cast<int64_t>(dnnl_memory_desc_get_size(&scratch_));
  dnnl_primitive_t made = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_primitive_create(&made, desc.get()), "a primitive"));
  convolution_.reset(made);
  return InitReorder();
}

Result<FloatConvolution::PrimitiveDesc> FloatConvolution::Describe(const ConvolutionShape& shape, ConvolutionPass pass,
                                                                   dnnl_primitive_desc_t hint) const {
  HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
  const WindowDim &rows = shape.rows, &columns = shape.columns;
  const dnnl_dims_t strides = {rows.stride, columns.stride}, dilates = {rows.dilation - 1, columns.dilation - 1};
  const dnnl_dims_t before = {rows.pad_before, columns.pad_before}, after = {rows.pad_after, columns.pad_after};
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_success;
  if (pass == ConvolutionPass::kForward) {
    status = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, &in_,
                                                        &filter_, nullptr, &out_, strides, dilates, before, after);
  } else if (pass == ConvolutionPass::kBackwardInput) {
    status = dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &in_, &filter_, &out_,
                                                              strides, dilates, before, after);
  } else {
    status = dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &in_, &filter_,
                                                                 nullptr, &out_, strides, dilates, before, after);
  }
  HR_RETURN_IF_ERROR(Check(status, "a description"));
  dnnl_primitive_desc_t made = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_primitive_desc_create(&made, &desc, UserScratch(), engine, hint), "an implementation"));
  return PrimitiveDesc(made);
}

Status FloatConvolution::InitReorder() {
  HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
  const bool gradient = pass_ == ConvolutionPass::kBackwardFilter;
  const dnnl_memory_desc_t &from = gradient ? filter_ : plain_filter_, &to = gradient ? plain_filter_ : filter_;
  dnnl_primitive_desc_t described = nullptr;
  HR_RETURN_IF_ERROR(
      Check(dnnl_reorder_primitive_desc_create(&described, &from, engine, &to, engine, nullptr), "a conversion"));
  const PrimitiveDesc desc(described);
  dnnl_primitive_t made = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_primitive_create(&made, desc.get()), "a conversion"));
  reorder_.reset(made);
  return OkStatus();
}

Status FloatConvolution::ConvertFilter(const void* from, void* to) const {
  const bool gradient = pass_ == ConvolutionPass::kBackwardFilter;
  Call call;
  HR_RETURN_IF_ERROR(call.Add(DNNL_ARG_FROM, gradient ? filter_ : plain_filter_, from));
  HR_RETURN_IF_ERROR(call.Add(DNNL_ARG_TO, gradient ? plain_filter_ : filter_, to));
  return call.Run(reorder_);
}

Status FloatConvolution::Run(const float* in, const void* filter, const float* out, void* scratch) const {
  Call call;
  const bool forward = pass_ == ConvolutionPass::kForward, to_input = pass_ == ConvolutionPass::kBackwardInput;
  HR_RETURN_IF_ERROR(call.Add(to_input ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, in_, in));
  HR_RETURN_IF_ERROR(call.Add(forward || to_input ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_WEIGHTS, filter_, filter));
  HR_RETURN_IF_ERROR(call.Add(forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, out_, out));
  HR_RETURN_IF_ERROR(call.Add(DNNL_ARG_SCRATCHPAD, scratch_, scratch));
  return call.Run(convolution_);
}

}  // namespace headrace
