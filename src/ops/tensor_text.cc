#include "ops/tensor_text.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace headrace {

namespace {

/// The shorter of two precisions from which the value can be read back.
void AppendReal(std::string& out, double value, bool is_double) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, is_double ? "%.15g" : "%.6g", value);
  const double read = is_double ? std::strtod(buffer, nullptr) : static_cast<double>(std::strtof(buffer, nullptr));
  if (read != value && value == value) std::snprintf(buffer, sizeof buffer, is_double ? "%.17g" : "%.9g", value);
  out += value != value ? "nan" : buffer;  // whatever its sign
}

/// With C's escapes, except for what may be UTF-8.
void AppendEscaped(std::string& out, std::string_view text) {
  constexpr std::string_view kSpecial = "\n\r\t\"'\\", kLetters = "nrt\"'\\";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const size_t at = kSpecial.find(c); at != std::string_view::npos) {
      out += '\\';
      out += kLetters[at];
    } else if (byte < 0x20 || byte == 0x7f) {
      char octal[8];
      std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(byte));
      out += octal;
    } else {
      out += c;
    }
  }
}

using AppendValue = void (*)(std::string& out, const Tensor& tensor, int64_t index);

template <typename T> void AppendElement(std::string& out, const Tensor& tensor, int64_t index) {
  const T& value = tensor.data<T>()[static_cast<size_t>(index)];
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? '1' : '0';
  } else if constexpr (std::is_same_v<T, std::string>) {
    AppendEscaped(out, value);
  } else if constexpr (std::is_integral_v<T>) {
    AppendText(out, value);
  } else if constexpr (std::is_same_v<T, double>) {
    AppendReal(out, value, /*is_double=*/true);
  } else {
    AppendReal(out, static_cast<double>(static_cast<float>(value)), /*is_double=*/false);
  }
}

/// Null for types whose values TensorFlow does not show.
AppendValue AppendFunction(DType dtype) {
  AppendValue found = nullptr;
  (void)ForDType<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                 uint64_t, bool, std::string>(dtype, "text", [&found]<typename T>() {
    found = AppendElement<T>;
    return OkStatus();
  });
  return found;
}

/// "? ? ?...": for the other types.
std::string QuestionMarks(int64_t count, int64_t limit) {
  std::string out;
  for (int64_t i = 0; i < std::min(count, limit); ++i) out += i > 0 ? " ?" : "?";
  return count > limit ? out + "..." : out;
}

class FirstValues {
 public:
  FirstValues(const Tensor& tensor, int64_t limit, AppendValue append)
      : tensor_(tensor), limit_(std::min(limit, tensor.num_elements())), append_(append) {}

  std::string Text() {
    Write(0);
    if (tensor_.num_elements() > limit_) out_ += "...";
    return std::move(out_);
  }

 private:
  // The values from dimension `dim` on, beginning at next_.
  void Write(int dim) {
    if (tensor_.rank() == 0) {
      if (limit_ > 0) append_(out_, tensor_, 0);
      return;
    }
    for (int64_t i = 0; i < tensor_.dim(dim); ++i) {
      if (next_ >= limit_) {
        if (dim > 0 && dim + 1 == tensor_.rank()) out_ += "...";
        return;
      }
      if (dim + 1 == tensor_.rank()) {
        if (i > 0) out_ += ' ';
        append_(out_, tensor_, next_++);
      } else {
        out_ += '[';
        Write(dim + 1);
        out_ += ']';
      }
    }
  }

  const Tensor& tensor_;
  const int64_t limit_;
  const AppendValue append_;
  int64_t next_ = 0;
  std::string out_;
};

class EdgeValues {
 public:
  EdgeValues(const Tensor& tensor, int64_t edge, AppendValue append)
      : tensor_(tensor), edge_(edge), append_(append), quoted_(tensor.dtype() == DType::kString) {}

  std::string Text() {
    Write(0, 0, tensor_.num_elements());
    return std::move(out_);
  }

 private:
  // The `size` values from `first` on, which are those of dimension `dim`.
  void Write(int dim, int64_t first, int64_t size) {
    if (dim == tensor_.rank()) {
      if (quoted_) out_ += '"';
      append_(out_, tensor_, first);
      if (quoted_) out_ += '"';
      return;
    }
    const int64_t extent = tensor_.dim(dim), part = extent == 0 ? 0 : size / extent;
    const bool has_gap = extent > edge_ && extent - edge_ > edge_;
    out_ += '[';
    for (int64_t i = 0; i < extent; ++i) {
      if (i > 0 || (has_gap && edge_ == 0)) Separate(dim);
      if (has_gap && i == edge_) {
        out_ += "...";
        i = extent - edge_ - 1;
      } else {
        Write(dim + 1, first + i * part, part);
      }
    }
    out_ += ']';
  }

  void Separate(int dim) {
    if (dim + 1 == tensor_.rank()) {
      out_ += ' ';
    } else {
      out_.append(static_cast<size_t>(tensor_.rank() - dim - 1), '\n').append(static_cast<size_t>(dim) + 1, ' ');
    }
  }

  const Tensor& tensor_;
  const int64_t edge_;
  const AppendValue append_;
  const bool quoted_;
  std::string out_;
};

}  // namespace

std::string FirstValuesText(const Tensor& tensor, int64_t limit) {
  if (limit < 0) limit = tensor.num_elements();
  const AppendValue append = AppendFunction(tensor.dtype());
  if (append == nullptr) return QuestionMarks(tensor.num_elements(), limit);
  if (limit == 0 && tensor.dtype() == DType::kBool) return "";
  return FirstValues(tensor, limit, append).Text();
}

std::string EdgeValuesText(const Tensor& tensor, int64_t edge) {
  const int64_t limit = edge < 0 ? tensor.num_elements() : std::min(edge, tensor.num_elements());
  const AppendValue append = AppendFunction(tensor.dtype());
  if (append == nullptr) {
    const std::string marks = QuestionMarks(tensor.num_elements(), limit);
    return tensor.rank() == 0 ? marks : StrCat("[", marks, "]");
  }
  if (limit == 0 && tensor.dtype() == DType::kBool) return "";
  if (limit == 0 && tensor.rank() == 0) return "...";
  return EdgeValues(tensor, limit, append).Text();
}

}  // namespace headrace
