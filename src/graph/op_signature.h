// OpSignature: an op's name, inputs, outputs and attributes, read from one line of text.
//
//   signature = name "(" args ")" "->" "(" args ")" { "|" part }
//   args      = [ name ":" type { "," name ":" type } ]
//   type      = dtype | attr-name | attr-name "*" type | "list(" attr-name ")" | "Ref(" type ")"
//   part      = attr | "stateful" | "commutative" | "aggregate" | "allows_uninitialized_input"
//   attr      = name ":" kind [ "=" default ] [ "in {" a "," ... "}" ] [ ">=" minimum ]
//   kind      = "bool" "int" "float" "string" "type" "shape" "tensor" "func" or "list(kind)"
//
// dtypes are in the short form (f32, i64, str, ...). Example:
//   MatMul(a: T, b: T) -> (product: T) | transpose_a: bool = false | transpose_b: bool = false | T: type in {f32,f64}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/attr_value.h"

namespace headrace {

/// One input or output argument. Exactly one of `type`, `type_attr`, `type_list_attr` is set.
struct HR_EXPORT ArgSignature {
  std::string name;
  DType type = DType::kInvalid;
  std::string type_attr;
  std::string number_attr;     // repeated as often as this attr says; empty: once
  std::string type_list_attr;  // one tensor for each type in this attr
  bool is_ref = false;
};

struct HR_EXPORT AttrSignature {
  std::string name;
  std::string kind;
  std::optional<AttrValue> default_value;
  std::vector<DType> allowed_types;
  std::vector<std::string> allowed_strings;
  std::optional<int64_t> minimum;  // of an int, or of a list's length
};

struct HR_EXPORT OpSignature {
  std::string name;
  std::vector<ArgSignature> inputs;
  std::vector<ArgSignature> outputs;
  std::vector<AttrSignature> attrs;
  bool stateful = false;
  bool commutative = false;
  bool aggregate = false;
  bool allows_uninitialized_input = false;

  /// Reads the line described above. Errors: kInvalidArgument with the place that could not be read.
  static Result<OpSignature> Parse(std::string_view text);
  /// Writes the line that Parse reads.
  std::string ToString() const;
  const AttrSignature* FindAttr(std::string_view attr_name) const;
};

/// Returns the types of the arguments' tensors, one by one, under `attrs`.
/// Errors: kInvalidArgument for a missing attribute, or a repetition count below zero or above 2^20.
HR_EXPORT Result<std::vector<DType>> ArgTypes(const std::vector<ArgSignature>& args, const AttrMap& attrs);

/// Where each argument's tensors begin, plus the total: argument i is tensors [result[i], result[i + 1]).
HR_EXPORT Result<std::vector<int>> ArgOffsets(const std::vector<ArgSignature>& args, const AttrMap& attrs);

/// Completes `attrs` with the signature's defaults and checks kinds, allowed values and minima. Attributes that the
/// signature does not know are allowed when their name starts with "_".
/// Errors: kInvalidArgument, naming the attribute and its value.
HR_EXPORT Status CompleteAttrs(const OpSignature& signature, AttrMap* attrs);

}  // namespace headrace
