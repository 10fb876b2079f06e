#include "ops/lookup/table_handle.h"

#include "ops/io/type_text.h"

namespace headrace {

namespace {

Result<std::pair<std::string, std::string>> NameOf(const KernelContext& c) {
  const Tensor& handle = c.input(0);
  if (handle.dtype() == DType::kString) {
    if (handle.num_elements() != 2)
      return InvalidArgument("Lookup table handle must be scalar, but had shape: ", handle.shape());
    return std::pair(handle.data<std::string>()[0], handle.data<std::string>()[1]);
  }
  HR_ASSIGN_OR_RETURN(const ResourceHandle* named, c.Handle(0));
  return std::pair(named->container, named->name);
}

}  // namespace

Result<std::shared_ptr<LookupTable>> TableOf(const KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const auto name, NameOf(c));
  return c.resources().Lookup<LookupTable>(name.first, name.second);
}

Status CheckTableTypes(const LookupTable& table, DType key, DType value, const KernelContext& c) {
  const LookupTable::Kind& kind = table.kind();
  if (key == kind.key_dtype && value == kind.value_dtype) return OkStatus();
  HR_ASSIGN_OR_RETURN(const auto name, NameOf(c));
  return InvalidArgument("Conflicting key/value dtypes ", TypeText(key), "->", TypeText(value), " with ",
                         TypeText(kind.key_dtype), "-", TypeText(kind.value_dtype), " for table ", name.second);
}

PartialShape DeclaredValueShape(const ShapeContext& c) {
  Endpoint handle = c.node().input(0);
  while (handle && handle.node->op() == "Identity") handle = handle.node->input(0);
  if (!handle) return PartialShape();
  const std::string& op = handle.node->op();
  if (op.starts_with("HashTable") || op == "MutableHashTable" || op == "MutableHashTableV2")
    return PartialShape::Scalar();
  return GetAttrOr<PartialShape>(handle.node->attrs(), "value_shape", {});
}

}  // namespace headrace
