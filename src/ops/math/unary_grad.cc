// z[i] = f(y[i], dy[i]): the gradients of unary ops that are cheapest from the op's output y. x and y have one shape.
// Each row has its derivatives by y and by dy, from y, dy and the gradient dz. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

#define HR_FUNCTOR(Name, expression)                                           \
  struct Name##Functor {                                                       \
    template <typename T> T operator()(T y, T dy) const { return expression; } \
  }
HR_FUNCTOR(SigmoidGrad, dy* y*(T(1) - y));
HR_FUNCTOR(TanhGrad, dy*(T(1) - y * y));
#undef HR_FUNCTOR

template <typename T> T Conjugate(T y) {
  if constexpr (kIsComplex<T>)
    return std::conj(y);
  else
    return y;
}
struct SqrtGradFunctor {
  template <typename T> T operator()(T y, T dy) const { return dy * T(0.5) / Conjugate(y); }
};
struct RsqrtGradFunctor {
  template <typename T> T operator()(T y, T dy) const {
    const T conjugate = Conjugate(y);
    return dy * T(-0.5) * (conjugate * conjugate * conjugate);
  }
};
struct ReciprocalGradFunctor {
  template <typename T> T operator()(T y, T dy) const {
    const T conjugate = Conjugate(y);
    return -dy * (conjugate * conjugate);
  }
};

Status SameShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.input(1)));
  return c.SetOutput(0, std::move(shape));
}

using Derivative = Formula (*)(const Formula& y, const Formula& dy, const Formula& dz);

template <typename F>
OpDefinition UnaryGrad(const std::string& name, Derivative by_y, BinaryLoop float_loop = nullptr) {
  GradientFunction gradient = [by_y, name](GradientContext& c) {
    const Formula y = InputFormula(c, 0), dz = OutputGradientFormula(c);
    HR_RETURN_IF_ERROR(c.SetInputGradient(0, by_y(Conj(y), Conj(InputFormula(c, 1)), dz)));
    return c.SetInputGradient(1, Conj(y).Apply(name, {dz}));  // the op is linear in dy
  };
  return OpDefinition(StrCat(name, "(y: T, dy: T) -> (z: T) | T: type in {bf16,f16,f32,f64,c64,c128}"))
      .Shape(SameShape)
      .Gradient(std::move(gradient))
      .Kernels(Join(BinaryKernels<F>(FloatTypes(), 1, float_loop), BinaryKernels<F>(ComplexTypes(), 4)));
}

#define HR_BY_Y(formula) [](const Formula& y, const Formula& dy, const Formula& dz) -> Formula { return formula; }

}  // namespace

std::vector<OpDefinition> UnaryGradOps() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(UnaryGrad<SigmoidGradFunctor>("SigmoidGrad", HR_BY_Y(dz * dy * (1.0 - 2.0 * y)), loops.sigmoid_grad));
  ops.push_back(UnaryGrad<TanhGradFunctor>("TanhGrad", HR_BY_Y(-2.0 * (dz * dy * y)), loops.tanh_grad));
  ops.push_back(UnaryGrad<SqrtGradFunctor>("SqrtGrad", HR_BY_Y(-0.5 * (dz * dy / Square(y)))));
  ops.push_back(UnaryGrad<RsqrtGradFunctor>("RsqrtGrad", HR_BY_Y(-1.5 * (dz * dy * Square(y)))));
  ops.push_back(UnaryGrad<ReciprocalGradFunctor>("ReciprocalGrad", HR_BY_Y(-2.0 * (dz * dy * y))));
  ops.push_back(UnaryGrad<ReciprocalGradFunctor>("InvGrad", HR_BY_Y(-2.0 * (dz * dy * y))));
  return ops;
}

}  // namespace headrace
