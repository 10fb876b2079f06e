// Mathematics: element by element, matrices, reductions. Each function adds TensorFlow's op of the name given beside
// it, with its semantics; "number" is every numeric type. A type or shape that does not fit is remembered by the graph
// as INVALID_ARGUMENT.
#pragma once

#include <optional>
#include <vector>

#include "api/output.h"

namespace headrace::api {

// Element by element: the result has x's shape and type. Types: number for Abs to Sign, floating and complex for the
// rest.
HR_EXPORT Output Abs(const Input& x);         ///< |x|
HR_EXPORT Output Neg(const Input& x);         ///< -x
HR_EXPORT Output Square(const Input& x);      ///< x * x
HR_EXPORT Output Sign(const Input& x);        ///< -1, 0 or 1
HR_EXPORT Output Reciprocal(const Input& x);  ///< 1 / x
HR_EXPORT Output Exp(const Input& x);         ///< e^x
HR_EXPORT Output Log(const Input& x);         ///< natural logarithm
HR_EXPORT Output Log1p(const Input& x);       ///< log(1 + x), exact for small x
HR_EXPORT Output Sqrt(const Input& x);        ///< square root
HR_EXPORT Output Rsqrt(const Input& x);       ///< 1 / sqrt(x)
HR_EXPORT Output Floor(const Input& x);       ///< rounds down; floating only
HR_EXPORT Output IsFinite(const Input& x);    ///< bool; floating only

// Of two inputs of one type, with broadcasting as numpy's: shapes are aligned at their ends, an extent of 1 stretches.
// A number takes the type of the other input.
HR_EXPORT Output Add(const Input& x, const Input& y);       ///< x + y; op AddV2
HR_EXPORT Output Sub(const Input& x, const Input& y);       ///< x - y
HR_EXPORT Output Mul(const Input& x, const Input& y);       ///< x * y
HR_EXPORT Output Div(const Input& x, const Input& y);       ///< x / y; op RealDiv: floating and complex only
HR_EXPORT Output DivNoNan(const Input& x, const Input& y);  ///< x / y, and 0 where y is 0; floating only
HR_EXPORT Output FloorDiv(const Input& x,
                          const Input& y);  ///< rounded down; an integer division by zero fails the step
HR_EXPORT Output FloorMod(const Input& x, const Input& y);           ///< x - FloorDiv(x, y) * y
HR_EXPORT Output Pow(const Input& x, const Input& y);                ///< x^y
HR_EXPORT Output Maximum(const Input& x, const Input& y);            ///< the larger one
HR_EXPORT Output Minimum(const Input& x, const Input& y);            ///< the smaller one
HR_EXPORT Output SquaredDifference(const Input& x, const Input& y);  ///< (x - y)^2

// Comparisons, with the same broadcasting; the result is bool.
HR_EXPORT Output Less(const Input& x, const Input& y);
HR_EXPORT Output LessEqual(const Input& x, const Input& y);
HR_EXPORT Output Greater(const Input& x, const Input& y);
HR_EXPORT Output GreaterEqual(const Input& x, const Input& y);
HR_EXPORT Output Equal(const Input& x, const Input& y);
HR_EXPORT Output NotEqual(const Input& x, const Input& y);
HR_EXPORT Output LogicalAnd(const Input& x, const Input& y);  ///< of bool
HR_EXPORT Output LogicalOr(const Input& x, const Input& y);   ///< of bool
HR_EXPORT Output LogicalNot(const Input& x);                  ///< of bool

/// x where `condition` (bool) is true, else y; all three are broadcast. Op SelectV2.
HR_EXPORT Output Where(const Input& condition, const Input& x, const Input& y);
/// The sum of tensors of one type and shape. Op AddN.
HR_EXPORT Output AddN(const std::vector<Input>& inputs);

struct MatMulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
/// The product of two matrices, [n,k] and [k,m] (after transposition) giving [n,m]. Types: number. Op MatMul.
HR_EXPORT Output MatMul(const Input& a, const Input& b, const MatMulOptions& options = {});

/// The dimensions to reduce; a negative one counts from the end. Unset: all.
using Axes = std::optional<std::vector<int>>;
struct ReduceOptions {
  bool keep_dims = false;  // reduced dimensions stay, with extent 1
};
// Reductions along `axes`. Types: number; All and Any: bool.
HR_EXPORT Output ReduceSum(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceMean(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceProd(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceMax(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceMin(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceAll(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});
HR_EXPORT Output ReduceAny(const Input& x, const Axes& axes = {}, const ReduceOptions& options = {});

/// The index (i64) of the largest element along `axis`, the first of equal ones. Op ArgMax.
HR_EXPORT Output ArgMax(const Input& x, int axis);

}  // namespace headrace::api
