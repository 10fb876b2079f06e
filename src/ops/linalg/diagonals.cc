// MatrixDiagPart: diagonals of matrices, as vectors; MatrixDiag: matrices of diagonals; MatrixSetDiag: matrices with other diagonals.
// The first versions know the main diagonal alone; V2 and V3 take k, one diagonal or the lowest and the highest of a band: 0 is the
// main one, 1 the one above it. The diagonals of a band are rows, the highest first, as long as the longest one; what is too much of
// a shorter one lies at its end, or where `align` says so (V3). Errors: kInvalidArgument. Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "kernel/elements.h"
#include "ops/integers.h"
#include "ops/linalg/linalg_ops.h"
#include "ops/linalg/matrix_stack.h"

namespace headrace {
namespace {

/// Diagonals of matrices of one size, and how they lie in a tensor of diagonals.
struct Diagonals {
  int64_t lower = 0, upper = 0;  // of the band
  int64_t rows = 0, columns = 0;
  int64_t longest = 0;
  bool right_above = false, right_below = false;  // the short ones above (below) the main diagonal end at the right

  bool single() const { return lower == upper; }
  int64_t count() const { return upper - lower + 1; }
  int64_t Length(int64_t d) const {
    return std::min(rows + std::min<int64_t>(d, 0), columns - std::max<int64_t>(d, 0));
  }
  /// The first element of diagonal d: in the matrix, and among the diagonals.
  int64_t InMatrix(int64_t d) const { return d >= 0 ? d : -d * columns; }
  int64_t InRows(int64_t d) const {
    const bool right = d >= 0 ? right_above : right_below;
    return (upper - d) * longest + (right ? longest - Length(d) : 0);
  }
  /// Adds the dimensions of the diagonals to those of the stack.
  PartialShape ShapeIn(PartialShape stack) const {
    if (!single()) stack.AppendDim(count());
    stack.AppendDim(longest);
    return stack;
  }

  /// Errors: with TensorFlow's texts.
  Status SetBand(const std::vector<int64_t>& k, std::string_view align) {
    if (k.empty()) return InvalidArgument("Expected diag_index to have at least 1 element");
    if (k.size() > 2) {
      return InvalidArgument("diag_index must have only one or two elements, received ", k.size(), " elements.");
    }
    lower = k.front(), upper = k.back();
    right_above = align.starts_with("RIGHT"), right_below = align.ends_with("RIGHT");
    if (lower <= upper) return OkStatus();
    return InvalidArgument("lower_diag_index must not be larger than upper_diag_index: ", lower, " > ", upper);
  }
  Status SetMatrix(int64_t matrix_rows, int64_t matrix_columns) {
    rows = matrix_rows, columns = matrix_columns;
    for (const auto& [name, d] : {std::pair{"lower", lower}, std::pair{"upper", upper}}) {
      if (d != 0 && (d <= -rows || d >= columns)) {
        return InvalidArgument(name, "_diag_index is out of bound: ", d, ". It must be between ", -rows, " and ",
                               columns);
      }
    }
    longest = std::min(rows + std::min<int64_t>(upper, 0), columns - std::max<int64_t>(lower, 0));
    return OkStatus();
  }
  /// The size of the matrices from the length of the diagonals; -1: as small as they can be. Diagonals may lie outside then.
  Status SetMatrixAround(int64_t length, int64_t matrix_rows, int64_t matrix_columns) {
    const int64_t least_rows = length - std::min<int64_t>(upper, 0),
                  least_columns = length + std::max<int64_t>(lower, 0);
    const bool square = matrix_rows == -1 && matrix_columns == -1;
    const int64_t side = std::max(least_rows, least_columns);
    rows = square ? side : matrix_rows == -1 ? least_rows : matrix_rows;
    columns = square ? side : matrix_columns == -1 ? least_columns : matrix_columns;
    longest = length;
    if (rows < least_rows) return InvalidArgument("The number of rows is too small.");
    if (columns < least_columns) return InvalidArgument("The number of columns is too small.");
    if (square || rows == least_rows || columns == least_columns) return OkStatus();
    return InvalidArgument(
        "The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal.");
  }
};

/// Which of the three ops, and of their versions, a node is.
struct Version {
  int number = 1;
  std::string align = "LEFT_LEFT";

  template <typename Source>
  static Version Of(const Source& source) {  // ShapeContext, KernelConstruction, GradientContext
    const std::string& op = source.node().op();
    if (op.ends_with("V2")) return {2, "LEFT_LEFT"};
    if (op.ends_with("V3")) return {3, source.template attr<std::string>("align", "RIGHT_LEFT")};
    return {};
  }
};

/// The band that input i says; in the first version the main diagonal.
Result<Diagonals> ReadBand(const KernelContext& c, const Version& version, int i) {
  Diagonals diagonals;
  if (version.number == 1) return diagonals;
  const Tensor& k = c.input(i);
  if (k.rank() > 1) return InvalidArgument("diag_index must be a scalar or vector, received shape: ", k.shape());
  HR_RETURN_IF_ERROR(diagonals.SetBand(IntegersOf(k), version.align));
  return diagonals;
}

enum class Direction { kFromMatrix, kToMatrix };

/// Copies diagonals, for each matrix of a stack.
void CopyDiagonals(const KernelContext& c, const Diagonals& diagonals, Direction direction, int64_t stack,
                   const Tensor& from, Tensor* to) {
  const Elements elements(from.dtype());
  const int64_t matrix = diagonals.rows * diagonals.columns, rows = diagonals.count() * diagonals.longest;
  const double cost_ns = 10 + 2.0 * static_cast<double>(rows);
  c.ParallelFor(stack, cost_ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t d = diagonals.lower; d <= diagonals.upper; ++d) {
        const int64_t in_matrix = i * matrix + diagonals.InMatrix(d), in_rows = i * rows + diagonals.InRows(d);
        const int64_t step = diagonals.columns + 1, length = diagonals.Length(d);
        if (length <= 0) continue;
        if (direction == Direction::kFromMatrix) {
          elements.CopyStrided(elements.At(from.raw(), in_matrix), step, elements.At(to->mutable_raw(), in_rows), 1,
                               length);
        } else {
          elements.CopyStrided(elements.At(from.raw(), in_rows), 1, elements.At(to->mutable_raw(), in_matrix), step,
                               length);
        }
      }
    }
  });
}

// Fills with the padding in input i; in the first version with zeros.
Status FillPadding(const KernelContext& c, const Version& version, int i, Tensor* output) {
  const Elements elements(output->dtype());
  if (version.number == 1) {
    elements.FillZero(output->mutable_raw(), output->num_elements());
    return OkStatus();
  }
  if (!c.input(i).shape().IsScalar()) return InvalidArgument("Padding must be scalar.");
  elements.Fill(c.input(i).raw(), output->mutable_raw(), output->num_elements());
  return OkStatus();
}

Status RequireMatrix(const Tensor& input) {
  if (input.rank() >= 2) return OkStatus();
  return InvalidArgument("input must be at least 2-dim, received shape: ", input.shape());
}

class DiagPart final : public Kernel {
 public:
  explicit DiagPart(KernelConstruction& c) : version_(Version::Of(c)) {}

  Status Compute(KernelContext& c) override {
    const Tensor& input = c.input(0);
    HR_RETURN_IF_ERROR(RequireMatrix(input));
    HR_ASSIGN_OR_RETURN(Diagonals diagonals, ReadBand(c, version_, 1));
    HR_RETURN_IF_ERROR(diagonals.SetMatrix(input.dim(input.rank() - 2), input.dim(input.rank() - 1)));
    HR_ASSIGN_OR_RETURN(const Shape stack, StackOf(input.shape()).ToShape());
    HR_ASSIGN_OR_RETURN(const Shape shape, diagonals.ShapeIn(stack).ToShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    HR_RETURN_IF_ERROR(FillPadding(c, version_, 2, output));
    CopyDiagonals(c, diagonals, Direction::kFromMatrix, stack.num_elements(), input, output);
    return OkStatus();
  }

 private:
  const Version version_;
};

class Diag final : public Kernel {
 public:
  explicit Diag(KernelConstruction& c) : version_(Version::Of(c)) {}

  Status Compute(KernelContext& c) override {
    const Tensor& input = c.input(0);
    HR_ASSIGN_OR_RETURN(Diagonals diagonals, ReadBand(c, version_, 1));
    const int own = diagonals.single() ? 1 : 2;
    if (input.rank() < own) {
      return InvalidArgument("diagonal must be at least ", own, "-dim, received shape: ", input.shape());
    }
    if (own == 2 && input.dim(input.rank() - 2) != diagonals.count()) {
      return InvalidArgument(
          "The number of diagonals provided in the input does not match the lower_diag_index and "
          "upper_diag_index range.");
    }
    int64_t sides[2] = {-1, -1};
    for (int i = 0; i < 2 && version_.number > 1; ++i) {
      if (!c.input(2 + i).shape().IsScalar()) {
        return InvalidArgument(i == 0 ? "num_rows" : "num_cols",
                               " must be a scalar, received shape: ", c.input(2 + i).shape());
      }
      sides[i] = IntegerAt(c.input(2 + i), 0);
    }
    HR_RETURN_IF_ERROR(diagonals.SetMatrixAround(input.dim(input.rank() - 1), sides[0], sides[1]));
    std::vector<int64_t> dims(input.shape().dims().begin(), input.shape().dims().end() - own);
    HR_ASSIGN_OR_RETURN(const Shape stack, Shape::Make(dims));
    dims.insert(dims.end(), {diagonals.rows, diagonals.columns});
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    HR_RETURN_IF_ERROR(FillPadding(c, version_, 4, output));
    CopyDiagonals(c, diagonals, Direction::kToMatrix, stack.num_elements(), input, output);
    return OkStatus();
  }

 private:
  const Version version_;
};

class SetDiag final : public Kernel {
 public:
  explicit SetDiag(KernelConstruction& c) : version_(Version::Of(c)) {}

  Status Compute(KernelContext& c) override {
    const Tensor &input = c.input(0), &given = c.input(1);
    HR_RETURN_IF_ERROR(RequireMatrix(input));
    HR_ASSIGN_OR_RETURN(Diagonals diagonals, ReadBand(c, version_, 2));
    HR_RETURN_IF_ERROR(diagonals.SetMatrix(input.dim(input.rank() - 2), input.dim(input.rank() - 1)));
    HR_ASSIGN_OR_RETURN(const Shape stack, StackOf(input.shape()).ToShape());
    HR_ASSIGN_OR_RETURN(const Shape expected, diagonals.ShapeIn(stack).ToShape());
    if (given.shape() != expected) {
      return InvalidArgument("Expected diagonal to have shape ", expected, ", it has ", given.shape(),
                             "; the input has ", input.shape());
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, input.shape()));
    Elements(input.dtype()).Copy(input.raw(), output->mutable_raw(), input.num_elements());
    CopyDiagonals(c, diagonals, Direction::kToMatrix, stack.num_elements(), given, output);
    return OkStatus();
  }

 private:
  const Version version_;
};

// The band, where input i is known.
Result<std::optional<Diagonals>> KnownBand(const ShapeContext& c, int i) {
  const Version version = Version::Of(c);
  if (version.number == 1) return std::optional(Diagonals());
  const auto k = ConstantIntegers(c, i);
  if (!k) return std::optional<Diagonals>();
  Diagonals diagonals;
  HR_RETURN_IF_ERROR(diagonals.SetBand(*k, version.align));
  return std::optional(diagonals);
}

Status DiagPartShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_ASSIGN_OR_RETURN(std::optional<Diagonals> diagonals, KnownBand(c, 1));
  const PartialShape& input = c.input(0);
  if (!diagonals || !input.has_rank()) return c.SetOutput(0, PartialShape());
  const int64_t rows = input.dim(input.rank() - 2), columns = input.dim(input.rank() - 1);
  if (rows >= 0 && columns >= 0) {
    HR_RETURN_IF_ERROR(diagonals->SetMatrix(rows, columns));
  } else {
    diagonals->longest = PartialShape::kUnknownDim;
  }
  return c.SetOutput(0, diagonals->ShapeIn(StackOf(input)));
}

Status DiagShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  HR_ASSIGN_OR_RETURN(std::optional<Diagonals> diagonals, KnownBand(c, 1));
  const PartialShape& input = c.input(0);
  if (!diagonals || !input.has_rank()) return c.SetOutput(0, PartialShape());
  const int own = diagonals->single() ? 1 : 2;
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, own));
  PartialShape shape(std::vector<int64_t>(input.dims().begin(), input.dims().end() - own));
  const bool first = Version::Of(c).number == 1;
  const auto rows = first ? std::vector<int64_t>{-1} : ConstantIntegers(c, 2);
  const auto columns = first ? std::vector<int64_t>{-1} : ConstantIntegers(c, 3);
  const int64_t length = input.dim(input.rank() - 1);
  diagonals->rows = diagonals->columns = PartialShape::kUnknownDim;
  if (length >= 0 && rows && columns && rows->size() == 1 && columns->size() == 1) {
    HR_RETURN_IF_ERROR(diagonals->SetMatrixAround(length, rows->front(), columns->front()));
  }
  shape.AppendDim(diagonals->rows);
  shape.AppendDim(diagonals->columns);
  return c.SetOutput(0, std::move(shape));
}

Status SetDiagShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 1));
  return c.SetOutput(0, c.input(0));
}

// The third versions of the ops, of the same diagonals: what the gradients are made of. `k` is the input of the node that says which.
Formula Call(const GradientContext& c, std::string_view op, const Formula& x, int k, std::vector<Endpoint> diagonal,
             bool padded) {
  const Version version = Version::Of(c);
  std::vector<Endpoint> others = std::move(diagonal);
  others.push_back(version.number == 1 ? c.builder().Const(Tensor::Scalar<int32_t>(0)) : c.input(k));
  if (padded) others.push_back(x.Number(0));
  return x.Apply(op, std::move(others), {{"align", version.align}});
}
Status DiagPartGradient(GradientContext& c) {
  const Formula zeros = ZerosLike(InputFormula(c, 0));
  return c.SetInputGradient(0, Call(c, "MatrixSetDiagV3", zeros, 1, {c.output_gradient(0)}, false));
}
Status DiagGradient(GradientContext& c) {
  return c.SetInputGradient(0, Call(c, "MatrixDiagPartV3", OutputGradientFormula(c), 1, {}, true));
}
Status SetDiagGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), zeros = ZerosLike(InputFormula(c, 1));
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, Call(c, "MatrixSetDiagV3", dy, 2, {zeros}, false)));
  return c.SetInputGradient(1, Call(c, "MatrixDiagPartV3", dy, 2, {}, true));
}

}  // namespace

std::vector<OpDefinition> DiagonalOps() {
  const std::string_view types = " | T: type";
  const std::string_view align =
      " | align: string = 'RIGHT_LEFT' in {'LEFT_RIGHT','RIGHT_LEFT','LEFT_LEFT','RIGHT_RIGHT'}";
  std::vector<OpDefinition> ops;
  for (const auto& [suffix, number] : {std::pair{"", 1}, std::pair{"V2", 2}, std::pair{"V3", 3}}) {
    const std::string_view last = number == 3 ? align : "";
    const std::string_view k = number == 1 ? "" : ", k: i32", padding = number == 1 ? "" : ", padding_value: T";
    const std::string_view sides = number == 1 ? "" : ", num_rows: i32, num_cols: i32";
    ops.push_back(
        OpDefinition(StrCat("MatrixDiagPart", suffix, "(input: T", k, padding, ") -> (diagonal: T)", types, last))
            .Shape(DiagPartShape)
            .Gradient(DiagPartGradient)
            .Kernels(AnyType(ClassKernel<DiagPart>())));
    ops.push_back(
        OpDefinition(StrCat("MatrixDiag", suffix, "(diagonal: T", k, sides, padding, ") -> (output: T)", types, last))
            .Shape(DiagShape)
            .Gradient(DiagGradient)
            .Kernels(AnyType(ClassKernel<Diag>())));
    ops.push_back(
        OpDefinition(StrCat("MatrixSetDiag", suffix, "(input: T, diagonal: T", k, ") -> (output: T)", types, last))
            .Shape(SetDiagShape)
            .Gradient(SetDiagGradient)
            .Kernels(AnyType(ClassKernel<SetDiag>())));
  }
  return ops;
}

}  // namespace headrace
