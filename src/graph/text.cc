#include "graph/text.h"

#include <algorithm>

#include "graph/builder.h"
#include "graph/input_reference.h"
#include "graph/text_scanner.h"

namespace headrace {

namespace {

constexpr std::string_view kNameCharacters = ".-/>\\";

// The kind of an attribute that no signature declares, by the first character of its value.
std::string_view GuessKind(TextScanner text) {
  if (text.Take("'")) return "string";
  if (text.Take("[")) return "list(string)";
  const std::string_view word = text.TakeWord("-");
  return word == "true" || word == "false" ? "bool" : "int";
}

Status TakeAttrs(TextScanner& text, const OpSignature& signature, AttrMap* attrs) {
  do {
    const std::string name(text.TakeWord());
    HR_RETURN_IF_ERROR(text.Expect("="));
    const AttrSignature* declared = signature.FindAttr(name);
    if (declared == nullptr && !name.starts_with("_")) {
      return InvalidArgument(signature.name, " has no attribute '", name, "'");
    }
    HR_ASSIGN_OR_RETURN(AttrValue value, text.TakeAttrValue(declared == nullptr ? GuessKind(text) : declared->kind));
    attrs->insert_or_assign(name, std::move(value));
  } while (text.Take(","));
  return text.Expect("}");
}

Result<NodeDef> ParseNode(std::string_view line) {
  TextScanner text(line);
  NodeDef node;
  node.name = text.TakeWord(kNameCharacters);
  HR_RETURN_IF_ERROR(text.Expect("="));
  node.op = text.TakeWord(">");
  HR_ASSIGN_OR_RETURN(const OpDefinition* definition, OpRegistry::Global().Lookup(node.op));
  HR_RETURN_IF_ERROR(text.Expect("("));
  if (!text.Take(")")) {
    do {
      node.inputs.emplace_back(text.TakeUntil(",)"));
    } while (text.Take(","));
    HR_RETURN_IF_ERROR(text.Expect(")"));
  }
  if (text.Take("{") && !text.Take("}")) HR_RETURN_IF_ERROR(TakeAttrs(text, definition->signature(), &node.attrs));
  if (text.Take("@")) node.device = text.TakeUntil("");
  if (!text.AtEnd()) return text.Error("the end of the line");
  return node;
}

template <typename Visit> Status ForEachLine(std::string_view text, Visit visit) {
  int number = 0;
  for (const std::string& line : StrSplit(text, '\n')) {
    ++number;
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const Status status = visit(line);
    if (!status.ok()) return Status(status.code(), StrCat("Line ", number, ": ", status.message()));
  }
  return OkStatus();
}

Status AddNode(const NodeDef& def, const GraphBuilder& builder) {
  std::vector<Endpoint> inputs;
  NodeOptions options;
  options.name = def.name;
  options.device = def.device;
  if (builder.graph().Find(def.name) != nullptr) return InvalidArgument("node '", def.name, "' occurs twice");
  for (const std::string& input : def.inputs) {
    HR_ASSIGN_OR_RETURN(const InputReference reference, InputReference::Parse(input));
    Node* source = builder.graph().Find(reference.node);
    if (source == nullptr) return InvalidArgument("input '", input, "' of '", def.name, "' is not a node above it");
    if (reference.index >= source->num_outputs() && !reference.control) {
      return InvalidArgument("input '", input, "' of '", def.name, "' is not one of its ", source->num_outputs(),
                             " outputs");
    }
    if (reference.control) {
      options.control_inputs.push_back(source);
    } else {
      inputs.push_back({source, reference.index});
    }
  }
  builder.AddNode(def.op, std::move(inputs), def.attrs, std::move(options));
  return builder.status();
}

template <typename T> void AppendElement(const T& value, std::string* out) {
  if constexpr (std::is_same_v<T, std::string>) {
    AppendText(*out, AttrValue(value));
  } else if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>) {
    AppendText(*out, value);
  } else {
    AppendText(*out, static_cast<double>(value));
  }
}

std::string TensorText(const Tensor& tensor, int64_t max_elements) {
  std::string out = StrCat(tensor.TypeAndShape(), "(");
  const Status status =
      ForDType<float, double, int32_t, int64_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t, bool, Half,
               BFloat16, std::string>(tensor.dtype(), "TensorText", [&]<typename T>() {
        const auto values = tensor.data<T>();
        const auto shown = static_cast<size_t>(std::min(tensor.num_elements(), max_elements));
        for (size_t i = 0; i < shown; ++i) {
          if (i > 0) out += ' ';
          AppendElement<T>(values[i], &out);
        }
        if (shown < values.size()) out += " ...";
        return OkStatus();
      });
  return status.ok() ? out + ")" : out + "...)";
}

}  // namespace

Result<GraphDef> ParseGraphText(std::string_view text) {
  GraphDef graph;
  HR_RETURN_IF_ERROR(ForEachLine(text, [&graph](std::string_view line) -> Status {
    HR_ASSIGN_OR_RETURN(graph.nodes.emplace_back(), ParseNode(line));
    return OkStatus();
  }));
  return graph;
}

Status BuildGraphText(std::string_view text, Graph* graph) {
  Status status;
  const GraphBuilder builder(graph, &status);
  return ForEachLine(text, [&builder](std::string_view line) -> Status {
    HR_ASSIGN_OR_RETURN(const NodeDef def, ParseNode(line));
    return AddNode(def, builder);
  });
}

std::string NodeText(const NodeDef& node, int64_t max_elements) {
  std::vector<std::string> attrs;
  for (const auto& [name, value] : node.attrs) {
    const auto* tensor = value.As<Tensor>();
    attrs.push_back(StrCat(name, "=", tensor == nullptr ? value.ToString() : TensorText(*tensor, max_elements)));
  }
  std::string text = StrCat(node.name, " = ", node.op, "(", StrJoin(node.inputs, ", "), ")");
  if (!attrs.empty()) text += StrCat(" {", StrJoin(attrs, ", "), "}");
  if (!node.device.empty()) text += StrCat(" @ ", node.device);
  return text;
}

std::string GraphText(const GraphDef& graph, int64_t max_elements) {
  std::string text;
  for (const NodeDef& node : graph.nodes) text += StrCat(NodeText(node, max_elements), "\n");
  return text;
}

}  // namespace headrace
