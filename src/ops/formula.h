// Formula: a value of the graph with operators, so that gradients read like the formulas they are.
#pragma once

#include <string_view>
#include <vector>

#include "graph/gradient_context.h"

namespace headrace {

/// Builds nodes with the builder it was made from, which must outlive it. Numbers become scalar constants of the value's type.
class Formula {
 public:
  Formula(const GraphBuilder& builder, Endpoint value) : builder_(&builder), value_(value) {}
  operator Endpoint() const { return value_; }            // NOLINT: implicit, to pass a formula on as an input
  operator Gradient() const { return Gradient(value_); }  // NOLINT
  Endpoint endpoint() const { return value_; }
  const GraphBuilder& builder() const { return *builder_; }

  /// OP(this, others...).
  Formula Apply(std::string_view op, std::vector<Endpoint> others = {}, AttrMap attrs = {}) const {
    others.insert(others.begin(), value_);
    return Formula(*builder_, builder_->Op(op, std::move(others), std::move(attrs)));
  }
  Formula Number(double value) const {
    if (!value_) return *this;  // after an error the builder adds nothing
    return Formula(*builder_, builder_->ScalarOf(RemoveRef(value_.dtype()), value));
  }

 private:
  const GraphBuilder* builder_;
  Endpoint value_;
};

inline Formula operator+(const Formula& a, const Formula& b) { return a.Apply("AddV2", {b}); }
inline Formula operator-(const Formula& a, const Formula& b) { return a.Apply("Sub", {b}); }
inline Formula operator*(const Formula& a, const Formula& b) { return a.Apply("Mul", {b}); }
inline Formula operator/(const Formula& a, const Formula& b) { return a.Apply("RealDiv", {b}); }
inline Formula operator-(const Formula& a) { return a.Apply("Neg"); }
inline Formula operator+(const Formula& a, double b) { return a + a.Number(b); }
inline Formula operator+(double a, const Formula& b) { return b.Number(a) + b; }
inline Formula operator-(const Formula& a, double b) { return a - a.Number(b); }
inline Formula operator-(double a, const Formula& b) { return b.Number(a) - b; }
inline Formula operator*(const Formula& a, double b) { return a * a.Number(b); }
inline Formula operator*(double a, const Formula& b) { return b.Number(a) * b; }
inline Formula operator/(const Formula& a, double b) { return a / a.Number(b); }
inline Formula operator/(double a, const Formula& b) { return b.Number(a) / b; }

inline Formula Exp(const Formula& x) { return x.Apply("Exp"); }
inline Formula Log(const Formula& x) { return x.Apply("Log"); }
inline Formula Square(const Formula& x) { return x.Apply("Square"); }
inline Formula ZerosLike(const Formula& x) { return x.Apply("ZerosLike"); }
/// The complex conjugate; a real value itself.
inline Formula Conj(const Formula& x) {
  return x.endpoint() && IsComplex(RemoveRef(x.endpoint().dtype())) ? x.Apply("Conj") : x;
}

/// The op's input, output and output gradient, as formulas.
inline Formula InputFormula(const GradientContext& c, int i) { return Formula(c.builder(), c.input(i)); }
inline Formula OutputFormula(const GradientContext& c, int i = 0) { return Formula(c.builder(), c.output(i)); }
inline Formula OutputGradientFormula(const GradientContext& c, int i = 0) {
  return Formula(c.builder(), c.output_gradient(i));
}

/// A constant i32 vector.
Endpoint IntVector(const GraphBuilder& builder, const std::vector<int64_t>& values);
/// The shape of `x` as an i32 vector: a constant where it is known.
Endpoint ShapeOf(const GraphBuilder& builder, Endpoint x);
/// Sums `gradient` over the dimensions in which `like` was broadcast to it, so that it gets the shape of `like`.
Formula SumToShapeOf(const Formula& gradient, Endpoint like);

}  // namespace headrace
