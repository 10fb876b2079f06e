// Print: passes its input on and writes the data's first values to standard error. StringFormat: puts tensors into the places of
// a template. PrintV2: writes a text to standard output or error, the log, or the end of a file. Source: TensorFlow's ops of the
// same names. All writing waits, so it is done on the blocking pool; a line is written whole.
#include <algorithm>
#include <atomic>
#include <cstdio>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/io/blocking_kernel.h"
#include "ops/io/io_ops.h"
#include "ops/tensor_text.h"
#include "os/log.h"

namespace headrace {

namespace {

void Write(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

class PrintCpu final : public BlockingKernel {
 public:
  explicit PrintCpu(KernelConstruction& c)
      : message_(c.attr<std::string>("message")),
        summarize_(c.attr<int64_t>("summarize", 3)),
        first_n_(c.attr<int64_t>("first_n", -1)) {}

 protected:
  Status Run(KernelContext& c) const override {
    if (first_n_ < 0 || num_calls_.fetch_add(1) < first_n_) {
      std::string line = message_;
      for (int i = 1; i < c.num_inputs(); ++i) line += StrCat("[", FirstValuesText(c.input(i), summarize_), "]");
      Write(stderr, line + "\n");
    }
    return c.SetOutput(0, c.TakeInput(0));
  }

 private:
  const std::string message_;
  const int64_t summarize_;
  const int64_t first_n_;
  mutable std::atomic<int64_t> num_calls_{0};
};

int64_t CountPlaceholders(const std::string& text, const std::string& placeholder) {
  int64_t count = 0;
  if (placeholder.empty()) return 0;
  for (size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + placeholder.size()))
    ++count;
  return count;
}

Status WrongCount(int64_t places, int64_t inputs) {
  return InvalidArgument("num placeholders in template and num inputs must match: ", places, " vs. ", inputs);
}

Status StringFormatShape(ShapeContext& c) {
  const int64_t places = CountPlaceholders(c.attr<std::string>("template"), c.attr<std::string>("placeholder"));
  if (places != c.num_inputs()) return WrongCount(places, c.num_inputs());
  return c.SetOutput(0, PartialShape::Scalar());
}

class StringFormatCpu final : public Kernel {
 public:
  explicit StringFormatCpu(KernelConstruction& c)
      : template_(c.attr<std::string>("template", "%s")),
        placeholder_(c.attr<std::string>("placeholder", "%s")),
        summarize_(c.attr<int64_t>("summarize", 3)) {}

  Status Compute(KernelContext& c) override {
    std::string text;
    size_t from = 0;
    for (int i = 0; i < c.num_inputs(); ++i) {
      const size_t place = template_.find(placeholder_, from);
      if (place == std::string::npos) return WrongCount(i, c.num_inputs());
      text.append(template_, from, place - from);
      text += EdgeValuesText(c.input(i), summarize_);
      from = place + placeholder_.size();
    }
    text.append(template_, from);
    return c.SetOutput(0, Tensor::Scalar(std::move(text)));
  }

 private:
  const std::string template_;
  const std::string placeholder_;
  const int64_t summarize_;
};

Status NotAScalar(int rank) { return InvalidArgument("input must be a scalar, but has rank: ", rank); }

class PrintV2Cpu final : public BlockingKernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    auto stream = c.attr<std::string>("output_stream", "stderr");
    constexpr std::string_view kStreams[] = {"stdout", "stderr", "log(info)", "log(warning)", "log(error)"};
    if (!stream.starts_with(kFile) && std::ranges::find(kStreams, stream) == std::end(kStreams)) {
      return InvalidArgument("Unknown output stream: ", stream, ", Valid streams are: ", StrJoin(kStreams, " "));
    }
    return std::unique_ptr<Kernel>(std::make_unique<PrintV2Cpu>(std::move(stream), c.attr<std::string>("end", "\n")));
  }
  PrintV2Cpu(std::string stream, std::string end) : stream_(std::move(stream)), end_(std::move(end)) {}

 protected:
  Status Run(KernelContext& c) const override {
    if (c.input(0).rank() != 0) return NotAScalar(c.input(0).rank());
    const std::string text = c.input(0).scalar<std::string>() + end_;
    if (stream_.starts_with(kFile)) return AppendToFile(c, text);
    if (stream_ == "stdout" || stream_ == "stderr") {
      Write(stream_ == "stdout" ? stdout : stderr, text);
    } else {
      const LogLevel level = stream_ == "log(info)"      ? LogLevel::kInfo
                             : stream_ == "log(warning)" ? LogLevel::kWarning
                                                         : LogLevel::kError;
      WriteLog(level, "print", text);
    }
    return OkStatus();
  }

 private:
  static constexpr std::string_view kFile = "file://";

  Status AppendToFile(const KernelContext& c, const std::string& text) const {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        c.runtime().files->OpenAppend(stream_.substr(kFile.size())));
    HR_RETURN_IF_ERROR(file->Append(text));
    return file->Close();
  }

  const std::string stream_;
  const std::string end_;
};

Status PrintGradient(GradientContext& c) { return c.SetInputGradient(0, OutputGradientFormula(c)); }

Status PrintV2Shape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  return input.has_rank() && input.rank() != 0 ? NotAScalar(input.rank()) : OkStatus();
}

}  // namespace

std::vector<OpDefinition> PrintOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Print(input: T, data: list(U)) -> (output: T) | T: type | U: list(type) >= 0 | message: "
                             "string = '' | first_n: int = -1 | summarize: int = 3 | stateful")
                    .Shape(UnchangedShape)
                    .Gradient(PrintGradient)
                    .Kernels(AnyType(ClassKernel<PrintCpu>())));
  ops.push_back(OpDefinition("StringFormat(inputs: list(T)) -> (output: str) | T: list(type) >= 0 | template: string = "
                             "'%s' | placeholder: string = '%s' | summarize: int = 3")
                    .Shape(StringFormatShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<StringFormatCpu>())));
  ops.push_back(OpDefinition("PrintV2(input: str) -> () | output_stream: string = 'stderr' | end: string = '\\n' | "
                             "stateful")
                    .Shape(PrintV2Shape)
                    .NoGradient("has no outputs")
                    .Kernels(AnyType(ClassKernel<PrintV2Cpu>())));
  return ops;
}

}  // namespace headrace
