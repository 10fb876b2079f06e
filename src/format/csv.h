// CSV as RFC 4180 has it: fields between delimiters, quoted fields may hold delimiters, line ends and doubled quotes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_system.h"

namespace headrace {

/// Splits one record into its fields. Errors: kInvalidArgument for a quote that is not closed, or text after a closing quote.
HR_EXPORT Status SplitCsvRecord(std::string_view record, char delimiter, bool quotes, std::vector<std::string>* fields);

/// Reads lines; a line that is not ended at the end of the file counts. Strips "\n" and "\r\n". One thread at a time.
class HR_EXPORT LineReader {
 public:
  static constexpr int64_t kDefaultBufferBytes = int64_t{256} << 10;
  explicit LineReader(std::unique_ptr<SequentialFile> file, int64_t buffer_bytes = kDefaultBufferBytes)
      : file_(std::move(file)), buffer_(static_cast<size_t>(buffer_bytes)) {}

  /// Points `*line` at the next line, valid until the next call, or sets `*end`. Errors: the file's.
  Status Next(std::string_view* line, bool* end);

 private:
  const std::unique_ptr<SequentialFile> file_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool file_ended_ = false;
};

/// Reads CSV records, which may span lines. One thread at a time.
class HR_EXPORT CsvReader {
 public:
  CsvReader(std::string path, std::unique_ptr<SequentialFile> file, char delimiter = ',')
      : path_(std::move(path)), lines_(std::move(file)), delimiter_(delimiter) {}
  /// Errors: kInvalidArgument with file and line number; the file's.
  Status Next(std::vector<std::string>* fields, bool* end);
  /// The number of the line, from 1, on which the last record began.
  int64_t line_number() const { return line_number_; }

 private:
  const std::string path_;
  LineReader lines_;
  const char delimiter_;
  int64_t line_number_ = 0;
  int64_t lines_read_ = 0;
};

}  // namespace headrace
