// CsvSplitter: one record into fields, with the rules and the error texts of TensorFlow's DecodeCSV. Line ends before a
// field are passed over; an unquoted field has neither quotes nor line ends; in a quoted one "" stands for a quote.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace headrace {

/// One thread at a time.
class CsvSplitter {
 public:
  CsvSplitter(char delimiter, bool quotes) : delimiter_(delimiter), quotes_(quotes) {}

  /// The fields are valid until the next call, or until `record` goes.
  Status Split(std::string_view record);
  const std::vector<std::string_view>& fields() const { return fields_; }

 private:
  Status Unquoted(std::string_view record, size_t* position);
  Status Quoted(std::string_view record, size_t* position);

  const char delimiter_;
  const bool quotes_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;  // the fields that are not as they stand in the record
};

}  // namespace headrace
