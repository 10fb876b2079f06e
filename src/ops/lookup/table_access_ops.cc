// What is done with a table: LookupTableFind, Insert, Remove, Size, Export, Import, and InitializeTable, which is Import. Each
// with a resource handle (V2) and with a reference to strings.
// Errors: kFailedPrecondition "Table not initialized."; kInvalidArgument for other dtypes or shapes than the table's.
#include "ops/lookup/lookup_ops.h"
#include "ops/lookup/table_handle.h"

namespace headrace {

namespace {

Status FindShape(ShapeContext& c) {
  const PartialShape value = DeclaredValueShape(c);
  if (!c.input(1).has_rank() || !value.has_rank()) return c.SetOutput(0, PartialShape());
  PartialShape shape = c.input(1);
  for (const int64_t extent : value.dims()) shape.AppendDim(extent);
  return c.SetOutput(0, std::move(shape));
}

Status Find(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
  const Tensor &keys = c.input(1), &fallback = c.input(2);
  HR_RETURN_IF_ERROR(CheckTableTypes(*table, keys.dtype(), fallback.dtype(), c));
  std::vector<int64_t> dims(keys.shape().dims().begin(), keys.shape().dims().end());
  const auto value = table->kind().value_shape.dims();
  dims.insert(dims.end(), value.begin(), value.end());
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(0, shape));
  return table->Find(keys, fallback, values);
}

template <Status (LookupTable::*kMethod)(const Tensor&, const Tensor&)> Status WithEntries(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
  HR_RETURN_IF_ERROR(CheckTableTypes(*table, c.input(1).dtype(), c.input(2).dtype(), c));
  return (table.get()->*kMethod)(c.input(1), c.input(2));
}

Status Initialize(KernelContext& c) {
  const Tensor &keys = c.input(1), &values = c.input(2);
  if (keys.rank() != 1) return InvalidArgument("Keys must be a vector, but received shape ", keys.shape());
  if (values.rank() != 1) return InvalidArgument("Values must be a vector, but received shape ", values.shape());
  if (keys.num_elements() != values.num_elements()) {
    return InvalidArgument("Keys and values must have the same size ", keys.num_elements(), " vs ",
                           values.num_elements());
  }
  return WithEntries<&LookupTable::Import>(c);
}

Status Remove(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
  HR_RETURN_IF_ERROR(CheckTableTypes(*table, c.input(1).dtype(), table->kind().value_dtype, c));
  return table->Remove(c.input(1));
}

Status Size(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
  return c.SetOutput(0, Tensor::Scalar<int64_t>(table->size()));
}

Status ExportShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape::UnknownOfRank(1)));
  const PartialShape value = DeclaredValueShape(c);
  if (!value.has_rank()) return c.SetOutput(1, PartialShape());
  PartialShape shape({PartialShape::kUnknownDim});
  for (const int64_t extent : value.dims()) shape.AppendDim(extent);
  return c.SetOutput(1, std::move(shape));
}

Status Export(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table, TableOf(c));
  HR_RETURN_IF_ERROR(CheckTableTypes(*table, c.node().output_types()[0], c.node().output_types()[1], c));
  HR_ASSIGN_OR_RETURN(LookupTable::Entries entries, table->Export());
  HR_RETURN_IF_ERROR(c.SetOutput(0, std::move(entries.keys)));
  return c.SetOutput(1, std::move(entries.values));
}

struct AccessForm {
  std::string_view name;
  std::string_view rest;  // after the handle: inputs, outputs, attributes
  ShapeFunction shape;
  KernelFunction kernel;
};

OpDefinition AccessOp(const AccessForm& form, bool v2) {
  return OpDefinition(
             StrCat(form.name, v2 ? "V2" : "", "(table_handle: ", HandleType(v2), form.rest, v2 ? " | stateful" : ""))
      .Shape(form.shape)
      .NoGradient("stateful")
      .Kernels(AnyType(FunctionKernel(form.kernel)));
}

}  // namespace

std::vector<OpDefinition> TableAccessOps() {
  const AccessForm forms[] = {
      {"LookupTableFind", ", keys: Tin, default_value: Tout) -> (values: Tout) | Tin: type | Tout: type", FindShape,
       Find},
      {"LookupTableInsert", ", keys: Tin, values: Tout) -> () | Tin: type | Tout: type", NoOutputs,
       WithEntries<&LookupTable::Insert>},
      {"LookupTableImport", ", keys: Tin, values: Tout) -> () | Tin: type | Tout: type", NoOutputs,
       WithEntries<&LookupTable::Import>},
      {"InitializeTable", ", keys: Tkey, values: Tval) -> () | Tkey: type | Tval: type", NoOutputs, Initialize},
      {"LookupTableSize", ") -> (size: i64)", ScalarShape, Size},
      {"LookupTableExport", ") -> (keys: Tkeys, values: Tvalues) | Tkeys: type | Tvalues: type", ExportShape, Export},
  };
  std::vector<OpDefinition> ops;
  for (const AccessForm& form : forms) {
    ops.push_back(AccessOp(form, false));
    ops.push_back(AccessOp(form, true));
  }
  ops.push_back(AccessOp({"LookupTableRemove", ", keys: Tin) -> () | Tin: type", NoOutputs, Remove}, true));
  return ops;
}

}  // namespace headrace
