// HashTable (filled once), MutableHashTable, MutableHashTableOfTensors, MutableDenseHashTable: a table, and a handle to it; each
// with a resource handle (V2) and with a reference to strings. A table is found by container and shared_name, or by the
// node's name where use_node_name_sharing says so, and outlives its session; else it belongs to the node's kernel.
// Errors: kUnimplemented for keys other than i32, i64 and strings; kInvalidArgument where a table of that name has other dtypes.
#include <bit>

#include "ops/lookup/lookup_ops.h"
#include "ops/lookup/table_handle.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

struct TableForm {
  std::string_view name;
  std::string_view inputs[2] = {"", ""};  // of the first and second generation
  std::string_view attrs = "";            // after value_dtype
  bool filled_once = false;
  bool v2 = true;
};

Result<LookupTable::Kind> KindOf(const KernelConstruction& c, const TableForm& form) {
  LookupTable::Kind kind{.key_dtype = c.attr<DType>("key_dtype"),
                         .value_dtype = c.attr<DType>("value_dtype"),
                         .filled_once = form.filled_once};
  if (form.attrs.empty()) return kind;
  const auto shape = c.attr<PartialShape>("value_shape", PartialShape::Scalar());
  if (!shape.IsFullyKnown()) return InvalidArgument(form.name, ": value_shape must be known, is ", shape);
  HR_ASSIGN_OR_RETURN(kind.value_shape, shape.ToShape());
  const auto buckets = c.attr<int64_t>("initial_num_buckets", 1);
  if (buckets < 1 || !std::has_single_bit(static_cast<uint64_t>(buckets)))
    return InvalidArgument("initial_num_buckets must be a power of 2, got: ", buckets);
  return kind;
}

class TableKernel final : public Kernel {
 public:
  TableKernel(KernelConstruction& c, LookupTable::Kind kind, bool v2) : kind_(std::move(kind)), v2_(v2) {
    handle_.device = c.device();
    handle_.container = c.attr<std::string>("container");
    if (handle_.container.empty()) handle_.container = ResourceManager::kDefaultContainer;
    handle_.name = c.attr<std::string>("shared_name");
    if (handle_.name.empty() && c.attr<bool>("use_node_name_sharing")) handle_.name = c.node().name();
    if (handle_.name.empty()) {
      handle_.name = PrivateResourceName(c.node().name());
      owner_ = &c.resources();
    }
    handle_.maybe_type_name = "LookupTable";
  }
  ~TableKernel() override {
    if (owner_ != nullptr) (void)owner_->Delete(handle_.container, handle_.name);  // kNotFound: never made, or cleared
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(LookupTable::Kind kind, WithForbiddenKeys(c));
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<LookupTable> table,
                        c.resources().LookupOrCreate<LookupTable>(handle_.container, handle_.name,
                                                                  [&] { return LookupTable::Make(std::move(kind)); }));
    const LookupTable::Kind& have = table->kind();
    if (have.key_dtype != kind_.key_dtype || have.value_dtype != kind_.value_dtype ||
        have.value_shape != kind_.value_shape || have.filled_once != kind_.filled_once) {
      return InvalidArgument("Table ", handle_.name, " exists with other types: ", table->DebugString());
    }
    if (v2_) return c.SetOutput(0, Tensor::Scalar<ResourceHandle>(handle_));
    auto reference = std::make_shared<Variable>(DType::kString, PartialShape({2}));
    reference->Assign(Tensor::Vector<std::string>({handle_.container, handle_.name}));
    return c.SetOutputVariable(0, std::move(reference));
  }

 private:
  Result<LookupTable::Kind> WithForbiddenKeys(const KernelContext& c) const {
    LookupTable::Kind kind = kind_;
    constexpr std::string_view kNames[] = {"empty_key", "deleted_key"};
    for (int i = 0; i < c.num_inputs(); ++i) {
      if (c.input(i).num_elements() != 1) {
        return Unimplemented("MutableDenseHashTable: keys other than scalars are not supported: ", kNames[i], "=",
                             c.input(i));
      }
      kind.forbidden.emplace_back(kNames[i], c.input(i));
    }
    if (c.num_inputs() == 2) {
      const bool same = c.input(0).dtype() == DType::kString
                            ? c.input(0).data<std::string>()[0] == c.input(1).data<std::string>()[0]
                            : c.input(0).bytes() == c.input(1).bytes();
      if (same) return InvalidArgument("Empty and deleted keys cannot be equal");
    }
    return kind;
  }

  const LookupTable::Kind kind_;
  const bool v2_;
  ResourceHandle handle_;
  ResourceManager* owner_ = nullptr;  // of a private table
};

OpDefinition TableOp(const TableForm& form) {
  return OpDefinition(StrCat(form.name, form.v2 ? "V2" : "", "(", form.inputs[form.v2 ? 1 : 0], ") -> (table_handle: ",
                             HandleType(form.v2), ") | container: string = '' | shared_name: string = '' | ",
                             "use_node_name_sharing: bool = false | key_dtype: type | value_dtype: type", form.attrs,
                             " | stateful"))
      .Shape(HandleShape)
      .NoGradient("stateful")
      .Kernels(AnyType([form](KernelConstruction& c) -> Result<std::unique_ptr<Kernel>> {
        HR_ASSIGN_OR_RETURN(LookupTable::Kind kind, KindOf(c, form));
        return std::unique_ptr<Kernel>(std::make_unique<TableKernel>(c, std::move(kind), form.v2));
      }));
}

}  // namespace

std::vector<OpDefinition> TableOps() {
  std::vector<OpDefinition> ops;
  for (const bool v2 : {false, true}) {
    ops.push_back(TableOp({.name = "HashTable", .filled_once = true, .v2 = v2}));
    ops.push_back(TableOp({.name = "MutableHashTable", .v2 = v2}));
    ops.push_back(TableOp({.name = "MutableHashTableOfTensors", .attrs = " | value_shape: shape = []", .v2 = v2}));
    ops.push_back(TableOp({.name = "MutableDenseHashTable",
                           .inputs = {"empty_key: key_dtype", "empty_key: key_dtype, deleted_key: key_dtype"},
                           .attrs = " | value_shape: shape = [] | initial_num_buckets: int = 131072 | max_load_factor: "
                                    "float = 0.800000011920929",
                           .v2 = v2}));
  }
  return ops;
}

}  // namespace headrace
