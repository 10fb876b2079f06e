#include "ops/nn/float_convolution.h"

#include <array>
#include <span>
#include <utility>

#include "kernel/gemm.h"

namespace headrace {

using one_dnn::Check;
using one_dnn::Engine;
using one_dnn::Layout;
using one_dnn::Owned;
using one_dnn::Primitive;
using one_dnn::PrimitiveDesc;

// One execution: the memories and the stream it takes.
struct FloatConvolution::Call {
  std::array<Owned<dnnl_memory_t, dnnl_memory_destroy>, 4> memories;
  std::array<dnnl_exec_arg_t, 4> args = {};
  size_t count = 0;

  Status Add(int what, const Layout& layout, const void* data) {
    HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
    dnnl_memory_t memory = nullptr;
    HR_RETURN_IF_ERROR(Check(dnnl_memory_create(&memory, layout.get(), engine, const_cast<void*>(data)), "a memory"));
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
  HR_ASSIGN_OR_RETURN(in_, Layout::Make(std::array{shape.batch, shape.in_channels, rows.in, columns.in}, image));
  HR_ASSIGN_OR_RETURN(out_, Layout::Make(std::array{shape.batch, shape.out_channels, rows.out, columns.out}, image));
  const std::array filter = {shape.groups, shape.group_out(), shape.group_in(), rows.filter, columns.filter};
  const std::span<const int64_t> dims = std::span(filter).subspan(shape.groups == 1 ? 1 : 0);
  HR_ASSIGN_OR_RETURN(plain_filter_, Layout::Make(dims, shape.groups == 1 ? dnnl_hwio : dnnl_hwigo));
  HR_ASSIGN_OR_RETURN(const Layout any, Layout::Make(dims, dnnl_format_tag_any));
  const one_dnn::ConvolutionOperands operands{.in = in_.get(),
                                              .filter = any.get(),
                                              .out = out_.get(),
                                              .strides = {rows.stride, columns.stride},
                                              .dilates = {rows.dilation - 1, columns.dilation - 1},
                                              .pads_before = {rows.pad_before, columns.pad_before},
                                              .pads_after = {rows.pad_after, columns.pad_after}};
  HR_ASSIGN_OR_RETURN(PrimitiveDesc desc,
                      one_dnn::DescribeConvolution(ConvolutionPass::kForward, operands, PrimitiveDesc()));
  if (pass_ != ConvolutionPass::kForward) {
    HR_ASSIGN_OR_RETURN(desc, one_dnn::DescribeConvolution(pass_, operands, desc));
  }
  const bool gradient = pass_ == ConvolutionPass::kBackwardFilter;
  HR_ASSIGN_OR_RETURN(filter_, Layout::Of(desc, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md,
                                          "a convolution's filter"));
  HR_ASSIGN_OR_RETURN(scratch_, Layout::Of(desc, dnnl_query_scratchpad_md, "scratch memory"));
  filter_bytes_ = filter_.bytes();
  scratch_bytes_ = scratch_.bytes();
  dnnl_primitive_t made = nullptr;
  HR_RETURN_IF_ERROR(Check(dnnl_primitive_create(&made, desc.get()), "a primitive"));
  convolution_.reset(made);
  return InitReorder();
}

Status FloatConvolution::InitReorder() {
  HR_ASSIGN_OR_RETURN(const dnnl_engine_t engine, Engine());
  const bool gradient = pass_ == ConvolutionPass::kBackwardFilter;
  const Layout &from = gradient ? filter_ : plain_filter_, &to = gradient ? plain_filter_ : filter_;
  dnnl_primitive_desc_t described = nullptr;
  HR_RETURN_IF_ERROR(Check(
      dnnl_reorder_primitive_desc_create(&described, from.get(), engine, to.get(), engine, nullptr), "a conversion"));
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
