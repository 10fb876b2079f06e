#include "case_checks.h"

#include <algorithm>
#include <map>
#include <regex>

#include "case_gradient.h"
#include "graph/builder.h"
#include "kernel/evaluate.h"

namespace headrace::cases {
namespace {

using Named = std::map<std::string, Tensor, std::less<>>;

Result<Tensor> ArgTensor(std::string_view text, const Named& named, Random& random) {
  if (!text.starts_with('$')) return ParseTensor(text, random);
  const auto found = named.find(text.substr(1));
  if (found == named.end()) return InvalidArgument("no `let ", text.substr(1), "` before");
  return found->second;
}

Result<std::vector<Tensor>> RunStep(const CaseStep& step, const Named& named, Random& random,
                                    ResourceManager* resources) {
  HR_ASSIGN_OR_RETURN(const OpDefinition* definition, OpRegistry::Global().Lookup(step.op));
  HR_ASSIGN_OR_RETURN(AttrMap attrs, ParseAttrs(definition->signature(), step.attrs));
  std::vector<Tensor> args;
  for (const std::string& text : step.args) {
    HR_ASSIGN_OR_RETURN(Tensor arg, ArgTensor(text, named, random));
    args.push_back(std::move(arg));
  }
  return EvaluateOp(step.op, std::move(args), std::move(attrs), resources);
}

// Input lines follow the signature's order; a repeated argument has a line for each of its tensors.
Status CheckNames(const CaseBlock& block, const OpSignature& signature) {
  size_t arg = 0;
  for (const CaseInput& input : block.inputs) {
    if (input.name.empty()) continue;
    while (arg < signature.inputs.size() && signature.inputs[arg].name != input.name) ++arg;
    if (arg == signature.inputs.size()) {
      return InvalidArgument("line ", input.line, ": no input '", input.name,
                             "' (in this place): ", signature.ToString());
    }
  }
  return OkStatus();
}

bool AllConstants(const std::vector<Tensor>& inputs) {
  return std::ranges::none_of(inputs, [](const Tensor& input) {
    return input.dtype() == DType::kResource || input.dtype() == DType::kVariant;
  });
}

// Where the shape function, which sees the inputs as constants, refuses them too, it does so with the same code.
Status CheckShapeError(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs) {
  if (!AllConstants(inputs)) return OkStatus();
  Graph graph;
  Status status;
  const GraphBuilder builder(&graph, &status);
  std::vector<Endpoint> endpoints;
  for (const Tensor& input : inputs) endpoints.push_back(builder.Const(input));
  builder.AddNode(block.op, endpoints, attrs);
  if (status.ok() || CodeName(status.code()) == block.code) return OkStatus();
  return Internal("expected ", block.code, ", the shape function says ", status.ToString());
}

// What the shape function says, with the inputs as constants, must fit what came out.
Status CheckShapes(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs,
                   const std::vector<Tensor>& outputs) {
  if (!AllConstants(inputs)) return OkStatus();
  Graph graph;
  Status status;
  const GraphBuilder builder(&graph, &status);
  std::vector<Endpoint> endpoints;
  for (const Tensor& input : inputs) endpoints.push_back(builder.Const(input));
  const Node* node = builder.AddNode(block.op, endpoints, attrs);
  HR_RETURN_IF_ERROR(status);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const PartialShape& inferred = node->output_shapes()[i];
    if (!inferred.IsCompatibleWith(outputs[i].shape())) {
      return Internal("output ", i, " has shape ", outputs[i].shape(), ", the shape function says ", inferred);
    }
  }
  return OkStatus();
}

Status CheckOutputs(const CaseBlock& block, const std::vector<Tensor>& outputs, Random& random) {
  if (!block.expected.empty() && outputs.size() != block.expected.size()) {
    return Internal("got ", outputs.size(), " outputs, expected ", block.expected.size());
  }
  for (size_t i = 0; i < block.expected.size(); ++i) {
    HR_ASSIGN_OR_RETURN(Tensor expected, ParseTensor(block.expected[i], random));
    const Status same = CompareTensors(outputs[i], expected, block.tolerance);
    if (!same.ok()) return same.WithFrame(StrCat("output ", i));
  }
  return OkStatus();
}

Status CheckError(const CaseBlock& block, const Status& status) {
  if (status.ok()) return Internal("expected ", block.code, ", got no error");
  if (CodeName(status.code()) != block.code || !std::regex_search(status.message(), std::regex(block.pattern))) {
    return Internal("expected ", block.code, " /", block.pattern, "/, got ", status.ToString());
  }
  return OkStatus();
}

Status CheckAfter(const CaseBlock& block, const Named& named, Random& random, ResourceManager* resources) {
  for (const CaseStep& step : block.after) {
    const std::string where = StrCat("line ", step.line);
    Result<std::vector<Tensor>> results = RunStep(step, named, random, resources);
    if (!results.ok()) return results.status().WithFrame(where);
    if (step.expected.empty()) continue;
    HR_ASSIGN_OR_RETURN(Tensor expected, ParseTensor(step.expected, random));
    if (results->empty()) return Internal(where, ": the op has no output");
    const Status same = CompareTensors((*results)[0], expected, block.tolerance);
    if (!same.ok()) return same.WithFrame(where);
  }
  return OkStatus();
}

}  // namespace

Status CheckCase(const CaseBlock& block) {
  Random random(block.seed);
  ResourceManager resources;
  Named named;
  HR_ASSIGN_OR_RETURN(const OpDefinition* definition, OpRegistry::Global().Lookup(block.op));
  HR_RETURN_IF_ERROR(CheckNames(block, definition->signature()));
  HR_ASSIGN_OR_RETURN(AttrMap attrs, ParseAttrs(definition->signature(), block.attrs));
  for (const CaseStep& step : block.before) {
    Result<std::vector<Tensor>> results = RunStep(step, named, random, &resources);
    if (!results.ok()) return results.status().WithFrame(StrCat("line ", step.line));
    if (!step.result.empty() && !results->empty()) named[step.result] = (*results)[0];
  }
  std::vector<Tensor> inputs;
  for (const CaseInput& input : block.inputs) {
    Result<Tensor> tensor = ArgTensor(input.text, named, random);
    if (!tensor.ok()) return tensor.status().WithFrame(StrCat("line ", input.line));
    inputs.push_back(*std::move(tensor));
  }
  if (block.kind == CaseBlock::Kind::kGradient) return CheckGradient(block, inputs, attrs, random);
  Result<std::vector<Tensor>> outputs = EvaluateOp(block.op, inputs, attrs, &resources);
  if (block.kind == CaseBlock::Kind::kError) {
    HR_RETURN_IF_ERROR(CheckError(block, outputs.status()));
    return CheckShapeError(block, inputs, attrs);
  }
  HR_RETURN_IF_ERROR(outputs.status());
  HR_RETURN_IF_ERROR(CheckOutputs(block, *outputs, random));
  HR_RETURN_IF_ERROR(CheckShapes(block, inputs, attrs, *outputs));
  return CheckAfter(block, named, random, &resources);
}

}  // namespace headrace::cases
