// AsString: each number as text, printf's "%f" (or "%e" where scientific, "%g" where shortest) and "%d", with a width, a
// precision of floats, and a fill: one of "0", "-" (left), "+" and " " (room for the sign).
// Errors: kInvalidArgument for a format that the type has not.
#include <complex>
#include <cstdio>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

/// printf's text of one value.
template <typename V> std::string Formatted(const std::string& format, V value) {
  char small[64];
  const int size = std::snprintf(small, sizeof small, format.c_str(), value);
  if (size < 0) return "";
  if (static_cast<size_t>(size) < sizeof small) return std::string(small, static_cast<size_t>(size));
  std::string text(static_cast<size_t>(size), '\0');
  std::snprintf(text.data(), text.size() + 1, format.c_str(), value);
  return text;
}

/// The format of a dtype's values, whose letter is appended.
Result<std::string> FormatOf(const KernelConstruction& c, DType dtype) {
  const auto precision = c.attr<int64_t>("precision", -1), width = c.attr<int64_t>("width", -1);
  const bool scientific = c.attr<bool>("scientific"), shortest = c.attr<bool>("shortest");
  const std::string fill = c.attr<std::string>("fill");
  if (scientific && shortest) return InvalidArgument("Cannot select both scientific and shortest notation");
  const bool floating = IsFloating(dtype) || IsComplex(dtype);
  if (!floating && dtype != DType::kString) {
    if (scientific || shortest)
      return InvalidArgument("scientific and shortest format not supported for datatype ", DTypeEnumName(dtype));
    if (precision > -1) return InvalidArgument("precision not supported for datatype ", DTypeEnumName(dtype));
  }
  if (fill.size() > 1) return InvalidArgument("Fill string must be one or fewer characters");
  if (!fill.empty() && std::string_view("0-+ ").find(fill[0]) == std::string_view::npos)
    return InvalidArgument("Fill argument not supported: \"", fill, "\"");
  constexpr int64_t kWidest = 1 << 16;  // of a text that nobody would want longer
  if (width > kWidest || precision > kWidest)
    return InvalidArgument("AsString: width ", width, " and precision ", precision, " must not exceed ", kWidest);
  std::string format = StrCat("%", fill);
  if (width > -1) format += StrCat(width);
  if (dtype == DType::kString) return format + "s";
  if (precision > -1) format += StrCat(".", precision);
  if (floating) return format + (scientific ? "e" : shortest ? "g" : "f");
  return format +
         (dtype == DType::kUint64 || dtype == DType::kUint32 || dtype == DType::kUint16 || dtype == DType::kUint8
              ? "llu"
              : "lld");
}

template <typename T> std::string Text(const std::string& format, const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    return format == "%s" ? value : Formatted(format, value.c_str());
  else if constexpr (std::is_same_v<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
    return StrCat("(", Formatted(format, static_cast<double>(value.real())), ",",
                  Formatted(format, static_cast<double>(value.imag())), ")");
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    return Formatted(format, static_cast<long long>(value));
  else if constexpr (std::is_integral_v<T>)
    return Formatted(format, static_cast<unsigned long long>(value));
  else
    return Formatted(
        format, static_cast<double>(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value)));
}

template <typename T> class AsStringKernel final : public Kernel {
 public:
  explicit AsStringKernel(std::string format) : format_(std::move(format)) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(std::string format, FormatOf(c, kDTypeOf<T>));
    return std::unique_ptr<Kernel>(std::make_unique<AsStringKernel>(std::move(format)));
  }
  Status Compute(KernelContext& c) override {
    const std::span<const T> in = c.input(0).data<T>();
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    const std::span<std::string> out = output->mutable_data<std::string>();
    for (size_t i = 0; i < in.size(); ++i) out[i] = Text(format_, in[i]);
    return OkStatus();
  }

 private:
  const std::string format_;
};

}  // namespace

std::vector<OpDefinition> AsStringOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("AsString(input: T) -> (output: str) | T: type in "
                   "{f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64,c64,c128,bool,variant,str} | precision: int "
                   "= -1 | scientific: bool = false | shortest: bool = false | width: int = -1 | fill: string = "
                   "''")
          .Shape(UnchangedShape)
          .NoGradient("strings")
          .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t, bool, std::complex<float>, std::complex<double>, std::string>(
              "T", []<typename T>() { return ClassKernel<AsStringKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
