#include "graph/op_definition.h"

#include <algorithm>

#include "base/check.h"

namespace headrace {

namespace {

OpSignature ParseOrDie(std::string_view text) {
  Result<OpSignature> signature = OpSignature::Parse(text);
  if (!signature.ok()) {
    CheckFailed(StrCat("signature '", text, "': ", signature.status()).c_str(), __FILE__, __LINE__);
  }
  return *std::move(signature);
}

bool TypesFit(const std::map<std::string, std::vector<DType>>& types, const AttrMap& attrs) {
  return std::ranges::all_of(types, [&attrs](const std::pair<const std::string, std::vector<DType>>& constraint) {
    const auto found = attrs.find(constraint.first);
    if (found == attrs.end()) return false;
    const std::vector<DType>& allowed = constraint.second;
    const auto fits = [&allowed](DType type) { return std::ranges::find(allowed, type) != allowed.end(); };
    const AttrValue& value = found->second;
    if (const auto* type = value.As<DType>()) return fits(*type);
    if (const auto* list = value.As<std::vector<DType>>()) return std::ranges::all_of(*list, fits);
    return false;
  });
}

std::string KernelText(const KernelDefinition& kernel) {
  std::string text = kernel.device_type;
  for (const auto& [name, types] : kernel.types) text += StrCat(" ", name, " in {", StrJoin(types, ","), "}");
  return text;
}

// The attributes that kernels are chosen by: "T=f32 Tidx=i64".
std::string TypesText(const OpSignature& signature, const AttrMap& attrs) {
  std::string text;
  for (const AttrSignature& attr : signature.attrs) {
    const auto found = attrs.find(attr.name);
    if (found == attrs.end() || (attr.kind != "type" && attr.kind != "list(type)")) continue;
    text += StrCat(" ", attr.name, "=", found->second);
  }
  return text;
}

}  // namespace

OpDefinition::OpDefinition(std::string_view signature) : signature_(ParseOrDie(signature)) {}

OpDefinition&& OpDefinition::Shape(ShapeFunction function) && {
  shape_ = std::move(function);
  return std::move(*this);
}

OpDefinition&& OpDefinition::Gradient(GradientFunction function) && {
  gradient_ = std::move(function);
  return std::move(*this);
}

OpDefinition&& OpDefinition::NoGradient(std::string_view reason) && {
  no_gradient_reason_ = reason;
  return std::move(*this);
}

OpDefinition&& OpDefinition::Kernels(std::vector<KernelDefinition> kernels) && {
  kernels_ = std::move(kernels);
  return std::move(*this);
}

Result<const KernelDefinition*> OpDefinition::FindKernel(std::string_view device_type, const AttrMap& attrs) const {
  for (const KernelDefinition& kernel : kernels_) {
    if (kernel.device_type == device_type && TypesFit(kernel.types, attrs)) return &kernel;
  }
  std::vector<std::string> registered;
  for (const KernelDefinition& kernel : kernels_) registered.push_back(KernelText(kernel));
  return Unimplemented(name(), ": no kernel on ", device_type, " for", TypesText(signature_, attrs),
                       "; registered: ", registered.empty() ? "none" : StrJoin(registered, "; "));
}

OpRegistry& OpRegistry::Global() {
  static auto* registry = new OpRegistry;
  return *registry;
}

void OpRegistry::Add(OpDefinition definition) {
  std::string name = definition.name();
  auto owned = std::make_unique<OpDefinition>(std::move(definition));
  if (!ops_.emplace(name, std::move(owned)).second) {
    CheckFailed(StrCat("op '", name, "' is registered only once").c_str(), __FILE__, __LINE__);
  }
}

const OpDefinition* OpRegistry::Find(std::string_view name) const {
  const auto found = ops_.find(name);
  return found == ops_.end() ? nullptr : found->second.get();
}

Result<const OpDefinition*> OpRegistry::Lookup(std::string_view name) const {
  if (const OpDefinition* definition = Find(name)) return definition;
  return NotFound("Op type not registered '", name, "'");
}

std::vector<const OpDefinition*> OpRegistry::All() const {
  std::vector<const OpDefinition*> all;
  for (const auto& [name, definition] : ops_) all.push_back(definition.get());
  return all;
}

}  // namespace headrace
