// StringSplit, StringSplitV2: a vector of strings into pieces, as a sparse tensor: a row for each string.
// StringSplit: each character of `delimiter` separates; without any, each byte is a piece. StringSplitV2: as Python's
// str.split: at the text `sep`, or without one at runs of white space; maxsplit < 0 means no limit, and what is left after the
// last split is a piece.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/io_ops.h"
#include "ops/io/parse_number.h"

namespace headrace {

namespace {

Status SplitShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({PartialShape::kUnknownDim, 2})));
  HR_RETURN_IF_ERROR(c.SetOutput(1, PartialShape::UnknownOfRank(1)));
  return c.SetOutput(2, PartialShape({2}));
}

using Pieces = std::vector<std::string_view>;

void SplitAtAny(std::string_view text, std::string_view delimiters, bool skip_empty, Pieces* out) {
  if (delimiters.empty()) {
    for (size_t i = 0; i < text.size(); ++i) out->push_back(text.substr(i, 1));
    return;
  }
  if (text.empty()) return;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(delimiters, begin), text.size());
    if (end > begin || !skip_empty) out->push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

void SplitAtSpaces(std::string_view text, int64_t most, Pieces* out) {
  const auto skip = [&text] {
    const std::string_view kept = WithoutSpaces(text);
    text.remove_prefix(kept.empty() ? text.size() : static_cast<size_t>(kept.data() - text.data()));
  };
  skip();
  for (int64_t splits = 0; !text.empty();) {
    const size_t end = std::min(text.find_first_of(" \t\n\v\f\r"), text.size());
    out->push_back(text.substr(0, end));
    text.remove_prefix(end);
    skip();
    if (++splits == most) return out->push_back(text);
  }
}

void SplitAt(std::string_view text, std::string_view separator, int64_t most, Pieces* out) {
  for (int64_t splits = 0; splits != most; ++splits) {
    const size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    out->push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  out->push_back(text);
}

/// Splits each string of input 0 with `split(text, pieces)` and sets the outputs.
template <typename Split> Status SplitAll(KernelContext& c, Split split) {
  HR_ASSIGN_OR_RETURN(const std::span<const std::string> texts, StringVector(c, 0, "input"));
  Pieces pieces;
  std::vector<size_t> ends;
  int64_t most = 0;
  for (const std::string& text : texts) {
    const size_t before = pieces.size();
    split(text, &pieces);
    ends.push_back(pieces.size());
    most = std::max(most, static_cast<int64_t>(pieces.size() - before));
  }
  HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(0, Shape({std::ssize(pieces), 2})));
  HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(1, Shape({std::ssize(pieces)})));
  int64_t* index = indices->mutable_data<int64_t>().data();
  for (size_t row = 0, i = 0; row < ends.size(); ++row) {
    for (int64_t column = 0; i < ends[row]; ++i, ++column) {
      *index++ = static_cast<int64_t>(row);
      *index++ = column;
      values->mutable_data<std::string>()[i].assign(pieces[i]);
    }
  }
  return c.SetOutput(2, Tensor::Vector<int64_t>({std::ssize(texts), most}));
}

class StringSplitKernel final : public Kernel {
 public:
  explicit StringSplitKernel(KernelConstruction& c) : skip_empty_(c.attr<bool>("skip_empty", true)) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string* delimiters, StringScalar(c, 1, "delimiter"));
    return SplitAll(c, [&](std::string_view text, Pieces* out) { SplitAtAny(text, *delimiters, skip_empty_, out); });
  }

 private:
  const bool skip_empty_;
};

class StringSplitV2Kernel final : public Kernel {
 public:
  explicit StringSplitV2Kernel(KernelConstruction& c) : most_(c.attr<int64_t>("maxsplit", -1)) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string* separator, StringScalar(c, 1, "sep"));
    return SplitAll(c, [&](std::string_view text, Pieces* out) {
      if (most_ == 0)
        out->push_back(text);
      else if (separator->empty())
        SplitAtSpaces(text, most_, out);
      else
        SplitAt(text, *separator, most_, out);
    });
  }

 private:
  const int64_t most_;
};

}  // namespace

std::vector<OpDefinition> StringSplitOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("StringSplit(input: str, delimiter: str) -> (indices: i64, values: str, shape: i64) | "
                             "skip_empty: bool = true")
                    .Shape(SplitShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<StringSplitKernel>())));
  ops.push_back(
      OpDefinition("StringSplitV2(input: str, sep: str) -> (indices: i64, values: str, shape: i64) | maxsplit: "
                   "int = -1")
          .Shape(SplitShape)
          .NoGradient("strings")
          .Kernels(AnyType(ClassKernel<StringSplitV2Kernel>())));
  return ops;
}

}  // namespace headrace
