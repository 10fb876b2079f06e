#include <nlohmann/json.hpp>

#include "cli/csv_to_records.h"

namespace headrace {

namespace {

FeatureKind KindOfType(std::string_view type) {
  if (type == "int64") return FeatureKind::kInt64;
  if (type == "float") return FeatureKind::kFloat;
  if (type == "bytes") return FeatureKind::kBytes;
  return FeatureKind::kNone;
}

FeatureKind KindOfRole(std::string_view role) {
  if (role == "id" || role == "label" || role == "categorical") return FeatureKind::kInt64;
  if (role == "numeric") return FeatureKind::kFloat;
  return FeatureKind::kNone;
}

Result<std::string> TextMember(const nlohmann::json& column, const char* member) {
  const auto found = column.find(member);
  if (found == column.end()) return std::string();
  if (!found->is_string()) return InvalidArgument("\"", member, "\" must be a text: ", column.dump());
  return found->get<std::string>();
}

Result<ConvertColumn> ParseColumn(const nlohmann::json& json) {
  if (!json.is_object()) return InvalidArgument("a column must be an object: ", json.dump());
  ConvertColumn column;
  HR_ASSIGN_OR_RETURN(column.name, TextMember(json, "name"));
  HR_ASSIGN_OR_RETURN(const std::string type, TextMember(json, "type"));
  HR_ASSIGN_OR_RETURN(const std::string role, TextMember(json, "role"));
  if (column.name.empty()) return InvalidArgument("a column has no \"name\": ", json.dump());
  column.kind = type.empty() ? KindOfRole(role) : KindOfType(type);
  if (column.kind == FeatureKind::kNone) {
    return InvalidArgument("column '", column.name, "' needs a \"type\", one of int64, float and bytes: ", json.dump());
  }
  return column;
}

}  // namespace

Result<std::vector<ConvertColumn>> ParseConvertSchema(std::string_view text) {
  std::vector<ConvertColumn> columns;
  try {
    const nlohmann::json schema = nlohmann::json::parse(text);
    if (!schema.is_object() || !schema.contains("columns") || !schema["columns"].is_array()) {
      return InvalidArgument("the schema needs a list \"columns\"");
    }
    for (const nlohmann::json& json : schema["columns"]) {
      HR_ASSIGN_OR_RETURN(columns.emplace_back(), ParseColumn(json));
    }
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument("the schema is no sound JSON: ", error.what());
  }
  if (columns.empty()) return InvalidArgument("the schema names no columns");
  return columns;
}

}  // namespace headrace
