#include "ops/io/csv_splitter.h"

#include <algorithm>

namespace headrace {

Status CsvSplitter::Unquoted(std::string_view record, size_t* position) {
  const size_t end = std::min(record.find(delimiter_, *position), record.size());
  const std::string_view field = record.substr(*position, end - *position);
  if (field.find_first_of(quotes_ ? "\"\n\r" : "\n\r") != std::string_view::npos) {
    return InvalidArgument("Unquoted fields cannot have quotes/CRLFs inside");
  }
  fields_.push_back(field);
  *position = end + 1;
  return OkStatus();
}

Status CsvSplitter::Quoted(std::string_view record, size_t* position) {
  const size_t begin = *position + 1;
  std::string* unescaped = nullptr;
  size_t piece = begin;
  for (size_t from = begin;;) {
    const size_t quote = record.find('"', from);
    if (quote == std::string_view::npos)
      return InvalidArgument("Quoted field has to end with quote followed by delim or end");
    if (quote + 1 == record.size() || record[quote + 1] == delimiter_) {
      const std::string_view last = record.substr(piece, quote - piece);
      if (unescaped != nullptr) unescaped->append(last);
      fields_.push_back(unescaped != nullptr ? std::string_view(*unescaped) : last);
      *position = quote + 2;
      return OkStatus();
    }
    if (record[quote + 1] != '"') return InvalidArgument("Quote inside a string has to be escaped by another quote");
    if (unescaped == nullptr) unescaped = &unescaped_.emplace_back();
    unescaped->append(record.substr(piece, quote + 1 - piece));
    piece = from = quote + 2;
  }
}

Status CsvSplitter::Split(std::string_view record) {
  fields_.clear();
  unescaped_.clear();
  for (size_t position = 0; position < record.size();) {
    if (record[position] == '\n' || record[position] == '\r') {
      ++position;
    } else if (quotes_ && record[position] == '"') {
      HR_RETURN_IF_ERROR(Quoted(record, &position));
    } else {
      HR_RETURN_IF_ERROR(Unquoted(record, &position));
    }
  }
  if (!record.empty() && record.back() == delimiter_) fields_.emplace_back();
  return OkStatus();
}

}  // namespace headrace
