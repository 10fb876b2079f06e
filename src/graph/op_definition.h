// OpDefinition: everything about an op in one place: signature, shape function, gradient, kernels.
// OpRegistry: the ops that exist in this process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/op_signature.h"

namespace headrace {

class GradientContext;
class Kernel;
class KernelConstruction;
class ShapeContext;

using ShapeFunction = std::function<Status(ShapeContext&)>;
using GradientFunction = std::function<Status(GradientContext&)>;
using KernelFactory = std::function<Result<std::unique_ptr<Kernel>>(KernelConstruction&)>;

inline constexpr std::string_view kCpu = "CPU";

/// A kernel, and the attribute values it is for.
struct KernelDefinition {
  std::string device_type{kCpu};
  /// attr name -> types it is for; attributes that are not named may have any value. For a list attr, all its members.
  std::map<std::string, std::vector<DType>> types = {};
  std::vector<std::string> host_memory_args = {};
  KernelFactory factory = {};
  /// True when running it costs about as much as a function call: never worth handing to another thread.
  bool cheap = false;
};

/// An op. Built once, by the function that the family's registration file lists; immutable afterwards.
class OpDefinition {
 public:
  /// `signature` as described in op_signature.h; a fault in it is a fault of ours (checked).
  explicit OpDefinition(std::string_view signature);

  OpDefinition&& Shape(ShapeFunction function) &&;
  OpDefinition&& Gradient(GradientFunction function) &&;
  /// States why there is no gradient: "stateful", "not differentiable", ... Autodiff stops at such an op.
  OpDefinition&& NoGradient(std::string_view reason) &&;
  OpDefinition&& Kernels(std::vector<KernelDefinition> kernels) &&;

  const std::string& name() const { return signature_.name; }
  const OpSignature& signature() const { return signature_; }
  const ShapeFunction& shape_function() const { return shape_; }
  const GradientFunction& gradient_function() const { return gradient_; }
  const std::string& no_gradient_reason() const { return no_gradient_reason_; }
  const std::vector<KernelDefinition>& kernels() const { return kernels_; }

  /// Returns the first kernel for the device type and attributes. Errors: kUnimplemented, naming the node's types and what is
  /// registered.
  Result<const KernelDefinition*> FindKernel(std::string_view device_type, const AttrMap& attrs) const;

 private:
  OpSignature signature_;
  ShapeFunction shape_;
  GradientFunction gradient_;
  std::string no_gradient_reason_;
  std::vector<KernelDefinition> kernels_;
};

/// All ops by name. Filled once by RegisterAllOps() before use; reading is thread-safe, adding is not.
class HR_EXPORT OpRegistry {
 public:
  static OpRegistry& Global();
  /// REQUIRES: no op of that name yet.
  void Add(OpDefinition definition);
  /// Returns the op, or nullptr.
  const OpDefinition* Find(std::string_view name) const;
  /// Errors: kNotFound "Op type not registered 'NAME'".
  Result<const OpDefinition*> Lookup(std::string_view name) const;
  std::vector<const OpDefinition*> All() const;

 private:
  std::map<std::string, std::unique_ptr<OpDefinition>, std::less<>> ops_;
};

}  // namespace headrace
