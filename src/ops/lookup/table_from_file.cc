// InitializeTableFromTextFile: fills a table from the lines of a file. key_index and value_index say what key and value are: -2
// the whole line, -1 the line's number, else a column. vocab_size: how many lines are read, -1 for all; offset: how many are
// left out before.
// Errors: kInvalidArgument for a line with too few columns, a text that is no number, fewer lines than vocab_size; the file
// system's.
#include "ops/io/blocking_kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/parse_number.h"
#include "ops/io/type_text.h"
#include "ops/lookup/lookup_ops.h"
#include "ops/lookup/table_handle.h"

namespace headrace {

namespace {

constexpr int64_t kLineNumber = -1, kWholeLine = -2;

struct TextFormat {
  int64_t key_index, value_index, vocab_size, offset;
  std::string delimiter;
};

/// A file's lines, one after the other, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool Next(std::string* line) {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    const std::string_view text = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    line->clear();
    for (const char c : text) {
      if (c != '\r') line->push_back(c);
    }
    return true;
  }

 private:
  std::string_view rest_;
};

/// Keys or values: where they are in a line, and what was read of them.
struct Column {
  int64_t index;
  DType dtype;
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;

  Status Check(std::string_view what) const {
    if (index == kWholeLine && dtype != DType::kString && !IsInteger(dtype))
      return InvalidArgument(what, " index for whole line requires string or integer type, got ", TypeText(dtype));
    if (index == kLineNumber && dtype != DType::kInt64)
      return InvalidArgument(what, " index for line number requires int64 type, got ", TypeText(dtype));
    return OkStatus();
  }
  Status Add(const std::string& line, const std::vector<std::string>& fields, int64_t number, const std::string& path) {
    if (index == kLineNumber) {
      numbers.push_back(number);
    } else if (index == kWholeLine) {
      texts.push_back(line);
    } else if (index >= std::ssize(fields)) {
      return InvalidArgument("Invalid number of columns in ", path, " line ", number, " (", line, ") : expected ",
                             index + 1, " got ", fields.size());
    } else {
      texts.push_back(fields[static_cast<size_t>(index)]);
    }
    return OkStatus();
  }
  Result<Tensor> ToTensor() const {
    if (index == kLineNumber) return Tensor::Vector(numbers);
    if (dtype == DType::kString) return Tensor::Vector(texts);
    HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, Shape({std::ssize(texts)})));
    HR_RETURN_IF_ERROR((ForDType<int32_t, int64_t, float, double>(dtype, "A table's text", [&]<typename T>() -> Status {
      for (size_t i = 0; i < texts.size(); ++i) {
        if (!ParseNumber(texts[i], &tensor.mutable_data<T>()[i]))
          return InvalidArgument("Field ", texts[i], " in line ", i, " is not a valid ", TypeText(dtype), ".");
      }
      return OkStatus();
    })));
    return tensor;
  }
};

class FromTextFile final : public BlockingKernel {
 public:
  explicit FromTextFile(TextFormat format) : format_(std::move(format)) {}

  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    TextFormat format{.key_index = c.attr<int64_t>("key_index"),
                      .value_index = c.attr<int64_t>("value_index"),
                      .vocab_size = c.attr<int64_t>("vocab_size", -1),
                      .offset = c.attr<int64_t>("offset"),
                      .delimiter = c.attr<std::string>("delimiter", "\t")};
    if (format.delimiter.size() != 1) return InvalidArgument("delimiter should be only 1 char");
    if (format.vocab_size == 0) return InvalidArgument("vocab_size must be positive, or -1 for the whole file");
    return std::unique_ptr<Kernel>(std::make_unique<FromTextFile>(std::move(format)));
  }

 protected:
  Status Run(KernelContext& c) const override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
    HR_ASSIGN_OR_RETURN(const std::string* path, StringScalar(c, 1, "filename"));
    if (path->empty()) return InvalidArgument("filename cannot be empty.");
    Column keys{.index = format_.key_index, .dtype = table->kind().key_dtype, .texts = {}, .numbers = {}};
    Column values{.index = format_.value_index, .dtype = table->kind().value_dtype, .texts = {}, .numbers = {}};
    HR_RETURN_IF_ERROR(keys.Check("Key"));
    HR_RETURN_IF_ERROR(values.Check("Value"));
    HR_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(*c.runtime().files, *path));
    HR_RETURN_IF_ERROR(Read(text, *path, &keys, &values));
    HR_ASSIGN_OR_RETURN(const Tensor key_tensor, keys.ToTensor());
    HR_ASSIGN_OR_RETURN(const Tensor value_tensor, values.ToTensor());
    return table->Import(key_tensor, value_tensor);
  }

 private:
  Status Read(const std::string& text, const std::string& path, Column* keys, Column* values) const {
    Lines lines(text);
    std::string line;
    for (int64_t i = 0; i < format_.offset; ++i) {
      if (!lines.Next(&line)) return InvalidArgument(path, " has fewer lines than the offset ", format_.offset);
    }
    const bool columns = keys->index >= 0 || values->index >= 0;
    int64_t number = 0;
    while (number != format_.vocab_size && lines.Next(&line)) {
      const std::vector<std::string> fields =
          columns ? StrSplit(line, format_.delimiter[0]) : std::vector<std::string>();
      HR_RETURN_IF_ERROR(keys->Add(line, fields, number, path));
      HR_RETURN_IF_ERROR(values->Add(line, fields, number, path));
      ++number;
    }
    if (format_.vocab_size >= 0 && number != format_.vocab_size) {
      return InvalidArgument("Invalid vocab_size in ", path, ": expected ", format_.vocab_size, " but got ", number);
    }
    return OkStatus();
  }

  const TextFormat format_;
};

Status FromFileShape(ShapeContext& c) { return c.RequireScalar(1); }

}  // namespace

std::vector<OpDefinition> TableFromFileOps() {
  std::vector<OpDefinition> ops;
  for (const bool v2 : {false, true}) {
    ops.push_back(OpDefinition(StrCat("InitializeTableFromTextFile", v2 ? "V2" : "", "(table_handle: ", HandleType(v2),
                                      ", filename: str) -> () | key_index: int >= -2 | value_index: int >= -2 | "
                                      "vocab_size: int = -1 >= -1 | delimiter: string = '\\t' | offset: int = 0",
                                      v2 ? " | stateful" : ""))
                      .Shape(FromFileShape)
                      .NoGradient("stateful")
                      .Kernels(AnyType(ClassKernel<FromTextFile>())));
  }
  return ops;
}

}  // namespace headrace
