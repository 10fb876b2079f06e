// DecodeCSV: records of any shape into one tensor of that shape for each column. A field that is empty, or equal to
// na_value, takes the column's default; a default without elements makes the column required. select_cols picks columns
// by number. Errors: kInvalidArgument for a malformed record, a wrong number of fields, a required field that is
// missing, and a field that is no number of the column's type; each names field and record.
#include <algorithm>
#include <mutex>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/csv_splitter.h"
#include "ops/io/io_ops.h"
#include "ops/io/parse_number.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

Status DecodeCsvShape(ShapeContext& c) {
  for (int i = 1; i < c.num_inputs(); ++i) {
    const PartialShape& shape = c.input(i);
    if (shape.has_rank() && shape.rank() > 1)
      return InvalidArgument("DecodeCSV: default ", i - 1, " must be a scalar or vector, got ", shape);
    if (shape.rank() == 1 && shape.dim(0) > 1)
      return InvalidArgument("Shape of a default must be a length-0 or length-1 vector, or a scalar.");
  }
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(0)));
  return OkStatus();
}

/// A column of one call: its default, and where its values go.
struct Column {
  Column(const Tensor& default_value, Tensor* output) : fallback(default_value), out(output) {}

  template <typename T> Status Set(std::string_view text, bool missing, size_t field, size_t record) const {
    T& value = static_cast<T*>(data)[record];
    if (missing) {
      if (fallback.num_elements() != 1)
        return InvalidArgument("Field ", field, " is required but missing in record ", record, "!");
      value = fallback.data<T>()[0];
    } else if constexpr (std::is_same_v<T, std::string>) {
      value.assign(text);
    } else if (!ParseNumber(text, &value)) {
      return InvalidArgument("Field ", field, " in record ", record, " is not a valid ", TypeText(kDTypeOf<T>), ": ",
                             text);
    }
    return OkStatus();
  }
  Status SetAny(std::string_view text, bool missing, size_t field, size_t record) const {
    switch (out->dtype()) {
      case DType::kInt32:
        return Set<int32_t>(text, missing, field, record);
      case DType::kInt64:
        return Set<int64_t>(text, missing, field, record);
      case DType::kFloat:
        return Set<float>(text, missing, field, record);
      case DType::kDouble:
        return Set<double>(text, missing, field, record);
      default:
        return Set<std::string>(text, missing, field, record);
    }
  }

  const Tensor& fallback;
  Tensor* out;
  void* data = out->mutable_raw();
};

class DecodeCsvKernel final : public Kernel {
 public:
  explicit DecodeCsvKernel(KernelConstruction& construction)
      : delimiter_(construction.attr<std::string>("field_delim", ",")[0]),
        quotes_(construction.attr<bool>("use_quote_delim", true)),
        na_value_(construction.attr<std::string>("na_value")),
        select_(construction.attr<std::vector<int64_t>>("select_cols")) {}

  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    if (construction.attr<std::string>("field_delim", ",").size() != 1)
      return InvalidArgument("field_delim should be only 1 char");
    auto kernel = std::make_unique<DecodeCsvKernel>(construction);
    const std::vector<int64_t>& select = kernel->select_;
    if (!select.empty() && std::ssize(select) != construction.node().num_outputs()) {
      return InvalidArgument("select_cols should match output size");
    }
    if (!select.empty() &&
        (select[0] < 0 || std::ranges::adjacent_find(select, std::greater_equal<>()) != select.end())) {
      return InvalidArgument("select_cols should be strictly increasing indices, none below 0");
    }
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  Status Compute(KernelContext& c) override {
    std::vector<Column> columns;
    for (int i = 0; i < c.num_outputs(); ++i) {
      const Tensor& fallback = c.input(i + 1);
      if (fallback.num_elements() > 1)
        return InvalidArgument("There should only be 1 default per field but field ", i, " has ",
                               fallback.num_elements());
      HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(i, c.input(0).shape()));
      columns.emplace_back(fallback, output);
    }
    const std::span<const std::string> records = c.input(0).data<std::string>();
    constexpr double kFieldNs = 30;
    std::mutex mutex;
    Status kept;
    auto kept_record = static_cast<int64_t>(records.size());
    c.ParallelFor(std::ssize(records), kFieldNs * static_cast<double>(columns.size()), [&](int64_t begin, int64_t end) {
      CsvSplitter splitter(delimiter_, quotes_);
      for (int64_t i = begin; i < end; ++i) {
        Status status = Decode(records[static_cast<size_t>(i)], static_cast<size_t>(i), columns, &splitter);
        if (status.ok()) continue;
        std::lock_guard lock(mutex);
        if (i < kept_record) {
          kept_record = i;
          kept = std::move(status);
        }
        return;
      }
    });
    return kept;
  }

 private:
  Status Decode(std::string_view text, size_t record, const std::vector<Column>& columns, CsvSplitter* splitter) const {
    HR_RETURN_IF_ERROR(splitter->Split(text));
    const std::vector<std::string_view>& fields = splitter->fields();
    const size_t found =
        select_.empty() ? fields.size()
                        : static_cast<size_t>(std::ranges::lower_bound(select_, std::ssize(fields)) - select_.begin());
    if (found != columns.size())
      return InvalidArgument("Expect ", columns.size(), " fields but have ", found, " in record ", record);
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string_view field = fields[select_.empty() ? i : static_cast<size_t>(select_[i])];
      HR_RETURN_IF_ERROR(columns[i].SetAny(field, field.empty() || field == na_value_, i, record));
    }
    return OkStatus();
  }

  const char delimiter_;
  const bool quotes_;
  const std::string na_value_;
  const std::vector<int64_t> select_;
};

}  // namespace

std::vector<OpDefinition> DecodeCsvOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("DecodeCSV(records: str, record_defaults: list(OUT_TYPE)) -> (output: list(OUT_TYPE)) | "
                             "OUT_TYPE: list(type) in {f32,f64,i32,i64,str} >= 1 | field_delim: string = ',' | "
                             "use_quote_delim: bool = true | na_value: string = '' | select_cols: list(int) = []")
                    .Shape(DecodeCsvShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<DecodeCsvKernel>())));
  return ops;
}

}  // namespace headrace
