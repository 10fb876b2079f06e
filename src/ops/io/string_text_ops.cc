// Strings one by one: StringLength, Substr, StringLower, StringUpper, StringStrip. In units of bytes, or of UTF-8 characters
// where `unit` says so; the case of letters beyond ASCII changes only with encoding "utf-8", one character for one.
// Errors: kInvalidArgument "pos 4 out of range for string b'abc' at index 0".
#include <locale.h>
#include <wctype.h>

#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/broadcast.h"
#include "kernel/kernel.h"
#include "ops/integers.h"
#include "ops/io/io_ops.h"
#include "ops/io/parse_number.h"

namespace headrace {

namespace {

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

int64_t CountCharacters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return !ContinuesCharacter(byte); });
}

/// Where character number `count` begins, or the end.
size_t SkipCharacters(std::string_view text, int64_t count) {
  size_t at = 0;
  for (; at < text.size() && count > 0; --count) {
    ++at;
    while (at < text.size() && ContinuesCharacter(text[at])) ++at;
  }
  return at;
}

bool InCharacters(const KernelConstruction& c) { return c.attr<std::string>("unit", "BYTE") == "UTF8_CHAR"; }

class StringLengthKernel final : public Kernel {
 public:
  explicit StringLengthKernel(KernelConstruction& c) : characters_(InCharacters(c)) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    std::ranges::transform(c.input(0).data<std::string>(), output->mutable_data<int32_t>().begin(),
                           [this](const std::string& text) {
                             return static_cast<int32_t>(characters_ ? CountCharacters(text) : std::ssize(text));
                           });
    return OkStatus();
  }

 private:
  const bool characters_;
};

Status SubstrShape(ShapeContext& c) {
  if (!c.input(1).IsCompatibleWith(c.input(2)))
    return InvalidArgument("pos and len must have same shape: pos=", c.input(1), " len=", c.input(2));
  return BroadcastBinaryShape(c);
}

class SubstrKernel final : public Kernel {
 public:
  explicit SubstrKernel(KernelConstruction& c) : characters_(InCharacters(c)) {}

  Status Compute(KernelContext& c) override {
    const Tensor &input = c.input(0), &pos = c.input(1), &len = c.input(2);
    if (pos.shape() != len.shape())
      return InvalidArgument("pos and len should have the same shape, got: ", pos.shape(), " vs. ", len.shape());
    HR_ASSIGN_OR_RETURN(const PartialShape broadcast, BroadcastShapes(input.shape(), pos.shape()));
    HR_ASSIGN_OR_RETURN(const Shape shape, broadcast.ToShape());
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    const std::span<std::string> out = output->mutable_data<std::string>();
    for (int64_t i = 0; i < shape.num_elements(); ++i) {
      const std::string& text = input.data<std::string>()[static_cast<size_t>(Source(i, shape, input.shape()))];
      const int64_t at = Source(i, shape, pos.shape());
      std::string_view piece;
      if (!Piece(text, IntegerAt(pos, at), IntegerAt(len, at), &piece)) {
        return InvalidArgument("pos ", IntegerAt(pos, at), " out of range for string b'", text, "' at index ", i);
      }
      out[static_cast<size_t>(i)].assign(piece);
    }
    return OkStatus();
  }

 private:
  // The element of a tensor of shape `from` that belongs to element i of the broadcast shape.
  static int64_t Source(int64_t i, const Shape& shape, const Shape& from) {
    int64_t place = 0, stride = 1;
    for (int d = shape.rank() - 1, f = from.rank() - 1; f >= 0; --d, --f) {
      if (from.dim(f) != 1) place += i % shape.dim(d) * stride;
      i /= shape.dim(d);
      stride *= from.dim(f);
    }
    return place;
  }

  // A negative pos counts from the end, a negative len means the rest. False where pos lies outside.
  bool Piece(std::string_view text, int64_t pos, int64_t len, std::string_view* piece) const {
    const int64_t size = characters_ ? CountCharacters(text) : std::ssize(text);
    if (pos < -size || pos > size) return false;
    if (pos < 0) pos += size;
    len = len < 0 ? size - pos : std::min(len, size - pos);
    if (!characters_) {
      *piece = text.substr(static_cast<size_t>(pos), static_cast<size_t>(len));
      return true;
    }
    const std::string_view rest = text.substr(SkipCharacters(text, pos));
    *piece = rest.substr(0, SkipCharacters(rest, len));
    return true;
  }

  const bool characters_;
};

/// Changes the case of single characters; knows Unicode's letters, whatever the program's locale.
class CaseTable {
 public:
  static const CaseTable& Get() {
    static const CaseTable table;
    return table;
  }
  uint32_t Change(uint32_t character, bool upper) const {
    if (locale_ == nullptr) return character;
    const auto wide = static_cast<wint_t>(character);
    return static_cast<uint32_t>(upper ? towupper_l(wide, locale_) : towlower_l(wide, locale_));
  }

 private:
  CaseTable() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  const locale_t locale_;
};

void AppendCharacter(uint32_t c, std::string* out) {
  if (c < 0x80) return out->push_back(static_cast<char>(c));
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  out->push_back(static_cast<char>(kLead[more] | c >> 6 * more));
  for (int i = more - 1; i >= 0; --i) out->push_back(static_cast<char>(0x80 | (c >> 6 * i & 0x3f)));
}

std::string ChangeCase(std::string_view text, bool upper, bool unicode) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t size = SkipCharacters(text.substr(at), 1);
    if (lead < 0x80 && size == 1) {
      const bool change = upper ? lead >= 'a' && lead <= 'z' : lead >= 'A' && lead <= 'Z';
      out.push_back(static_cast<char>(change ? lead ^ 0x20 : lead));
    } else if (unicode && size >= 2 && size <= 4 && lead >= 0xc0) {
      uint32_t character = lead & (0x7fu >> size);
      for (size_t i = 1; i < size; ++i) character = character << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
      AppendCharacter(CaseTable::Get().Change(character, upper), &out);
    } else {
      out.append(text.substr(at, size));
    }
    at += size;
  }
  return out;
}

template <bool kUpper> class CaseKernel final : public Kernel {
 public:
  explicit CaseKernel(bool unicode) : unicode_(unicode) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const auto encoding = c.attr<std::string>("encoding");
    if (!encoding.empty() && encoding != "utf-8")
      return InvalidArgument("only utf-8 or '' (no encoding) is supported, received ", encoding);
    return std::unique_ptr<Kernel>(std::make_unique<CaseKernel>(!encoding.empty()));
  }
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    std::ranges::transform(c.input(0).data<std::string>(), output->mutable_data<std::string>().begin(),
                           [this](const std::string& text) { return ChangeCase(text, kUpper, unicode_); });
    return OkStatus();
  }

 private:
  const bool unicode_;
};

Status Strip(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  std::ranges::transform(c.input(0).data<std::string>(), output->mutable_data<std::string>().begin(),
                         [](const std::string& text) { return std::string(WithoutSpaces(text)); });
  return OkStatus();
}

OpDefinition TextOp(std::string_view signature, ShapeFunction shape, KernelFactory factory) {
  return OpDefinition(signature).Shape(std::move(shape)).NoGradient("strings").Kernels(AnyType(std::move(factory)));
}

}  // namespace

std::vector<OpDefinition> StringTextOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(TextOp("StringLength(input: str) -> (output: i32) | unit: string = 'BYTE' in {'BYTE','UTF8_CHAR'}",
                       UnchangedShape, ClassKernel<StringLengthKernel>()));
  ops.push_back(
      TextOp("Substr(input: str, pos: T, len: T) -> (output: str) | T: type in {i32,i64} | unit: string = "
             "'BYTE' in {'BYTE','UTF8_CHAR'}",
             SubstrShape, ClassKernel<SubstrKernel>()));
  ops.push_back(TextOp("StringLower(input: str) -> (output: str) | encoding: string = ''", UnchangedShape,
                       ClassKernel<CaseKernel<false>>()));
  ops.push_back(TextOp("StringUpper(input: str) -> (output: str) | encoding: string = ''", UnchangedShape,
                       ClassKernel<CaseKernel<true>>()));
  ops.push_back(TextOp("StringStrip(input: str) -> (output: str)", UnchangedShape, FunctionKernel(Strip)));
  return ops;
}

}  // namespace headrace
