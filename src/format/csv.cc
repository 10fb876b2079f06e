#include "format/csv.h"

#include <algorithm>
#include <cstring>

namespace headrace {

Status SplitCsvRecord(std::string_view record, char delimiter, bool quotes, std::vector<std::string>* fields) {
  fields->clear();
  size_t position = 0;
  while (true) {
    std::string& field = fields->emplace_back();
    if (quotes && position < record.size() && record[position] == '"') {
      ++position;
      while (true) {
        const size_t quote = record.find('"', position);
        if (quote == std::string_view::npos)
          return InvalidArgument("field ", fields->size(), ": the quote is not closed");
        field += record.substr(position, quote - position);
        position = quote + 1;
        if (position == record.size() || record[position] != '"') break;
        field += '"';
        ++position;
      }
      if (position < record.size() && record[position] != delimiter) {
        return InvalidArgument("field ", fields->size(), ": text after the closing quote");
      }
    } else {
      const size_t end = std::min(record.find(delimiter, position), record.size());
      field = record.substr(position, end - position);
      position = end;
    }
    if (position == record.size()) return OkStatus();
    ++position;
  }
}

Status LineReader::Next(std::string_view* line, bool* end) {
  *end = false;
  size_t searched = begin_;
  while (true) {
    const auto* newline = static_cast<const char*>(std::memchr(buffer_.data() + searched, '\n', end_ - searched));
    if (newline != nullptr || (file_ended_ && begin_ < end_)) {
      const size_t stop = newline != nullptr ? static_cast<size_t>(newline - buffer_.data()) : end_;
      *line = std::string_view(buffer_.data() + begin_, stop - begin_);
      begin_ = std::min(stop + 1, end_);
      if (line->ends_with('\r')) line->remove_suffix(1);
      return OkStatus();
    }
    if (file_ended_) {
      *end = true;
      return OkStatus();
    }
    searched = end_ - begin_;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const auto room = static_cast<int64_t>(buffer_.size() - end_);
    HR_ASSIGN_OR_RETURN(const int64_t got, file_->Read(room, buffer_.data() + end_));
    end_ += static_cast<size_t>(got);
    file_ended_ = got < room;
  }
}

Status CsvReader::Next(std::vector<std::string>* fields, bool* end) {
  std::string record;
  line_number_ = lines_read_ + 1;
  while (true) {
    std::string_view line;
    HR_RETURN_IF_ERROR(lines_.Next(&line, end));
    if (*end && record.empty()) return OkStatus();
    if (!*end) {
      ++lines_read_;
      record += line;
      // An odd number of quotes means that the record goes on after this line's end.
      if (std::ranges::count(record, '"') % 2 != 0) {
        record += '\n';
        continue;
      }
    }
    *end = false;
    const Status status = SplitCsvRecord(record, delimiter_, /*quotes=*/true, fields);
    if (!status.ok()) return InvalidArgument(path_, ": line ", line_number_, ": ", status.message());
    return OkStatus();
  }
}

}  // namespace headrace
