#include "graph/builder.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graph/device_name.h"
#include "graph/function_ops.h"
#include "graph/node_error.h"
#include "graph/shape_context.h"

namespace headrace {

namespace {

constexpr std::string_view kColocationAttr = "_class";

// How many tensors the attribute `name` stands for, when `attrs` says so already.
std::optional<int64_t> KnownCount(const AttrMap& attrs, const std::string& name) {
  const auto found = attrs.find(name);
  if (found == attrs.end()) return std::nullopt;
  if (const auto* count = found->second.As<int64_t>()) return *count;
  if (const auto* types = found->second.As<std::vector<DType>>()) return std::ssize(*types);
  return std::nullopt;
}

const std::string& CountAttr(const ArgSignature& arg) {
  return arg.type_list_attr.empty() ? arg.number_attr : arg.type_list_attr;
}

// The number of tensors of each argument. At most one count may be open: it takes what the others leave.
Result<std::vector<int64_t>> CountTensors(const OpSignature& signature, int64_t total, const AttrMap& attrs) {
  int64_t known = 0;
  std::map<std::string, int64_t> open;  // count attribute -> number of arguments that have it
  for (const ArgSignature& arg : signature.inputs) {
    const std::string& attr = CountAttr(arg);
    if (attr.empty()) {
      ++known;
    } else if (const auto count = KnownCount(attrs, attr)) {
      known += *count;
    } else {
      ++open[attr];
    }
  }
  if (open.size() > 1) {
    return InvalidArgument(signature.name, ": give all but one of the attributes that count inputs: ", signature);
  }
  const int64_t rest = total - known;
  const int64_t sharers = open.empty() ? 1 : open.begin()->second;
  if (rest < 0 || (open.empty() && rest != 0) || rest % sharers != 0) {
    return InvalidArgument(signature.name, ": ", total, " inputs do not fit ", signature);
  }
  std::vector<int64_t> counts;
  for (const ArgSignature& arg : signature.inputs) {
    const std::string& attr = CountAttr(arg);
    counts.push_back(attr.empty() ? 1 : open.contains(attr) ? rest / sharers : *KnownCount(attrs, attr));
  }
  return counts;
}

// Takes types, counts and type lists that `attrs` does not have yet from the inputs.
Status InferAttrs(const OpSignature& signature, const std::vector<Endpoint>& inputs, AttrMap* attrs) {
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> counts, CountTensors(signature, std::ssize(inputs), *attrs));
  auto next = inputs.begin();
  for (size_t i = 0; i < counts.size(); ++i) {
    const ArgSignature& arg = signature.inputs[i];
    const auto begin = next, end = next + counts[i];
    next = end;
    if (!arg.number_attr.empty()) attrs->try_emplace(arg.number_attr, counts[i]);
    const auto type_of = [](const Endpoint& input) { return input ? RemoveRef(input.dtype()) : DType::kInvalid; };
    if (!arg.type_list_attr.empty()) {
      std::vector<DType> types;
      std::transform(begin, end, std::back_inserter(types), type_of);
      attrs->try_emplace(arg.type_list_attr, std::move(types));
    } else if (!arg.type_attr.empty()) {
      const auto given = std::find_if(begin, end, [](const Endpoint& input) { return static_cast<bool>(input); });
      if (given != end) attrs->try_emplace(arg.type_attr, type_of(*given));
    }
  }
  return OkStatus();
}

// The device of `inner`, completed by what `outer` says.
Result<std::string> MergeDevices(const std::string& outer, const std::string& inner) {
  if (outer.empty() || outer == inner) return inner;
  HR_ASSIGN_OR_RETURN(const DeviceName outer_name, DeviceName::Parse(outer));
  HR_ASSIGN_OR_RETURN(const DeviceName inner_name, DeviceName::Parse(inner));
  return outer_name.MergedWith(inner_name).ToString();
}

Result<std::string> ChooseDevice(const std::string& op, const std::string& requested, const std::string& scope,
                                 const std::vector<DeviceFunction>& functions) {
  HR_ASSIGN_OR_RETURN(std::string device, MergeDevices(scope, requested));
  for (auto function = functions.rbegin(); function != functions.rend(); ++function) {
    HR_ASSIGN_OR_RETURN(device, MergeDevices((*function)(op, device), device));
  }
  if (device.empty()) return device;
  HR_ASSIGN_OR_RETURN(const DeviceName name, DeviceName::Parse(device));
  return name.ToString();
}

// A node that uses a resource or a ref must be where that is, so that asking for another device could only fail. Functions find
// their own way to what they are given.
void FollowState(const OpSignature& signature, const std::vector<Endpoint>& inputs, std::string* device) {
  if (TakesFunctions(signature)) return;
  const bool takes_ref = std::ranges::any_of(signature.inputs, &ArgSignature::is_ref);
  for (const Endpoint& input : inputs) {
    const bool state = input && (input.dtype() == DType::kResource || (takes_ref && IsRef(input.dtype())));
    if (!state || input.node->requested_device().empty()) continue;
    *device = input.node->requested_device();
    return;
  }
}

// Joins the groups of the named nodes; the first of them that asked for a device decides the new node's too.
void Colocate(const Graph& graph, const std::vector<std::string>& names, AttrMap* attrs, std::string* device) {
  if (names.empty()) return;
  auto given = GetAttrOr<std::vector<std::string>>(*attrs, kColocationAttr, {});
  std::set<std::string> groups(given.begin(), given.end());
  bool decided = false;
  for (const std::string& name : names) {
    const Node* node = graph.Find(name);
    const auto theirs = node == nullptr ? std::vector<std::string>()
                                        : GetAttrOr<std::vector<std::string>>(node->attrs(), kColocationAttr, {});
    if (theirs.empty()) groups.insert(StrCat("loc:@", name));
    groups.insert(theirs.begin(), theirs.end());
    if (node != nullptr && !decided && !node->requested_device().empty()) {
      *device = node->requested_device();
      decided = true;
    }
  }
  attrs->insert_or_assign(std::string(kColocationAttr), std::vector<std::string>(groups.begin(), groups.end()));
}

template <typename T> std::vector<T> Joined(std::vector<T> first, const std::vector<T>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

Node* GraphBuilder::AddNode(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs,
                            NodeOptions options) const {
  if (!status_->ok()) return nullptr;
  const std::string name =
      graph_->UniqueName(StrCat(prefix_, options.name.empty() ? op : std::string_view(options.name)));
  const auto add = [&]() -> Result<Node*> {
    HR_ASSIGN_OR_RETURN(const OpDefinition* definition, OpRegistry::Global().Lookup(op));
    HR_RETURN_IF_ERROR(InferAttrs(definition->signature(), inputs, &attrs));
    HR_ASSIGN_OR_RETURN(std::string device,
                        ChooseDevice(definition->name(), options.device, device_, device_functions_));
    FollowState(definition->signature(), inputs, &device);
    Colocate(*graph_, Joined(colocate_with_, options.colocate_with), &attrs, &device);
    HR_ASSIGN_OR_RETURN(Node * node, graph_->AddNode({.name = name,
                                                      .definition = definition,
                                                      .attrs = std::move(attrs),
                                                      .inputs = std::move(inputs),
                                                      .control_inputs = Joined(control_inputs_, options.control_inputs),
                                                      .device = std::move(device)}));
    if (const Status status = InferShapes(node); !status.ok()) {
      graph_->RemoveNode(node);
      return status;
    }
    return node;
  };
  Result<Node*> added = add();
  if (added.ok()) return *added;
  Fail(AtNode(added.status(), name));
  return nullptr;
}

Endpoint GraphBuilder::Op(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs, int index) const {
  Node* node = AddNode(op, std::move(inputs), std::move(attrs));
  if (node == nullptr) return Endpoint();
  if (index < 0 || index >= node->num_outputs()) {
    Fail(AtNode(InvalidArgument(op, " has no output ", index), node->name()));
    return Endpoint();
  }
  return Endpoint{node, index};
}

Endpoint GraphBuilder::Const(const Tensor& value, std::string name) const {
  Node* node = AddNode("Const", {}, {{"value", value}, {"dtype", value.dtype()}}, {.name = std::move(name)});
  return Endpoint{node, 0};
}

Endpoint GraphBuilder::ScalarOf(DType type, double value) const {
  Endpoint constant;
  const Status status =
      ForDType<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, Half, BFloat16,
               std::complex<float>, std::complex<double>>(type, "Scalar constant", [&]<typename T>() {
        if constexpr (std::is_same_v<T, std::complex<float>>) {
          constant = Scalar<T>(T(static_cast<float>(value), 0.0f));
        } else {
          constant = Scalar<T>(static_cast<T>(value));
        }
        return OkStatus();
      });
  if (!status.ok()) Fail(status);
  return constant;
}

GraphBuilder GraphBuilder::WithNamePrefix(std::string_view prefix) const {
  GraphBuilder inner = *this;
  if (!prefix.empty()) inner.prefix_ = StrCat(prefix_, prefix, prefix.ends_with('/') ? "" : "/");
  return inner;
}

GraphBuilder GraphBuilder::WithDevice(std::string device) const {
  GraphBuilder inner = *this;
  Result<std::string> merged = MergeDevices(device_, device);
  if (merged.ok()) {
    inner.device_ = *std::move(merged);
  } else {
    Fail(merged.status());
  }
  return inner;
}

GraphBuilder GraphBuilder::WithDeviceFunction(DeviceFunction function) const {
  GraphBuilder inner = *this;
  if (!device_.empty()) {
    // The device so far lies outside of the function, which must not see it.
    inner.device_functions_.push_back([device = device_](const std::string&, const std::string&) { return device; });
    inner.device_.clear();
  }
  inner.device_functions_.push_back(std::move(function));
  return inner;
}

GraphBuilder GraphBuilder::WithControlInputs(std::vector<Node*> nodes) const {
  GraphBuilder inner = *this;
  inner.control_inputs_ = Joined(control_inputs_, nodes);
  return inner;
}

GraphBuilder GraphBuilder::ColocatedWith(const Node* node) const {
  GraphBuilder inner = *this;
  // As in TensorFlow, colocation is stronger than the devices around it.
  inner.device_.clear();
  inner.device_functions_.clear();
  inner.colocate_with_.push_back(node->name());
  return inner;
}

}  // namespace headrace
