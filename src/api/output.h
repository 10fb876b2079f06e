// Output and Operation: handles to what was built. Input: anything an operation takes. Operators on them.
#pragma once

#include <source_location>
#include <string>
#include <type_traits>
#include <vector>

#include "api/scope.h"

namespace headrace {
class Node;
}

namespace headrace::api {

class Operation;
class Variable;

/// One tensor that an operation computes; nothing is computed before a session runs it. Carries the scope in which
/// operations on it are made. Cheap to copy. Default-constructed it is empty; so is the result of an operation that
/// could not be built.
class HR_EXPORT Output {
 public:
  Output() = default;

  bool valid() const { return node_ != nullptr; }
  /// kInvalid when empty.
  DType dtype() const;
  /// What is known of the shape before running.
  PartialShape shape() const;
  /// "MatMul_1:0", as sessions name it; "" when empty.
  std::string name() const;
  Operation op() const;
  const Scope& scope() const { return scope_; }
  /// The same tensor, for use in another scope: MatMul(x.In(root.WithName("logits")), w).
  Output In(const Scope& scope) const;

 private:
  friend struct Access;
  Scope scope_;
  Node* node_ = nullptr;  // lives as long as the graph, which scope_ keeps
  int index_ = 0;
};

/// A node of the graph: something to run, or to wait for.
class HR_EXPORT Operation {
 public:
  Operation() = default;

  bool valid() const { return node_ != nullptr; }
  /// "train/Adam"; "" when empty.
  std::string name() const;
  /// Its kind: "MatMul".
  std::string type() const;
  int num_outputs() const;
  /// REQUIRES: 0 <= index < num_outputs().
  Output output(int index) const;
  const Scope& scope() const { return scope_; }

 private:
  friend struct Access;
  Scope scope_;
  Node* node_ = nullptr;
};

/// What an operation takes: an output, a variable (its value), a tensor (a constant), or a number, which becomes a
/// scalar constant of the type of the operation's first output or variable. Knows where the call stands.
class HR_EXPORT Input {
 public:
  Input(const Output& output,
        std::source_location where = std::source_location::current());  // NOLINT: implicit throughout
  Input(const Variable& variable, std::source_location where = std::source_location::current());  // NOLINT
  Input(const Tensor& value, std::source_location where = std::source_location::current());       // NOLINT
  Input(const char* text, std::source_location where = std::source_location::current());          // NOLINT
  template <typename T>
  requires std::is_arithmetic_v<T> Input(T number,
                                         std::source_location where = std::source_location::current())  // NOLINT
      : where_(where), is_number_(true), number_(static_cast<double>(number)) {}

  /// Empty unless made from an output or a variable.
  const Output& output() const { return output_; }
  /// Invalid unless made from a tensor or text.
  const Tensor& tensor() const { return tensor_; }
  bool is_number() const { return is_number_; }
  double number() const { return number_; }
  const std::source_location& where() const { return where_; }

 private:
  Output output_;
  Tensor tensor_;
  std::source_location where_;
  bool is_number_ = false;
  double number_ = 0;
};

// Element by element with broadcasting; see Add, Sub, Mul, Div, Neg in math.h.
HR_EXPORT Output operator+(const Input& x, const Input& y);
HR_EXPORT Output operator-(const Input& x, const Input& y);
HR_EXPORT Output operator*(const Input& x, const Input& y);
HR_EXPORT Output operator/(const Input& x, const Input& y);
HR_EXPORT Output operator-(const Input& x);

}  // namespace headrace::api
