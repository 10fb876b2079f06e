#include "cli/csv_to_records.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "format/csv.h"
#include "format/record_file.h"

namespace headrace {

namespace {

constexpr int kRowsToInferFrom = 1000;
constexpr int64_t kRowsBetweenProgress = 10'000;

/// One input: its reader, and where in a row the wanted columns are.
struct Input {
  std::string path;
  std::unique_ptr<CsvReader> reader;
  std::vector<std::string> header;
  std::vector<size_t> positions;  // by column
};

Result<Input> OpenInput(FileSystem& files, const std::string& path) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<SequentialFile> file, files.OpenSequential(path));
  Input input{path, std::make_unique<CsvReader>(path, std::move(file)), {}, {}};
  bool end = false;
  HR_RETURN_IF_ERROR(input.reader->Next(&input.header, &end));
  if (end) return InvalidArgument(path, ": the file has no line of column names");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (input.header[0].starts_with(kByteOrderMark)) input.header[0].erase(0, kByteOrderMark.size());
  const std::set<std::string> names(input.header.begin(), input.header.end());
  if (names.size() != input.header.size()) return InvalidArgument(path, ": two columns have the same name");
  return input;
}

/// Passes over empty lines.
Status NextRow(const Input& input, std::vector<std::string>* row, bool* end) {
  do {
    HR_RETURN_IF_ERROR(input.reader->Next(row, end));
  } while (!*end && row->size() == 1 && (*row)[0].empty() && input.header.size() > 1);
  if (*end || row->size() == input.header.size()) return OkStatus();
  return InvalidArgument(input.path, ": line ", input.reader->line_number(), ": the row has ", row->size(),
                         " cells, the first line has ", input.header.size());
}

Result<std::vector<ConvertColumn>> InferColumns(FileSystem& files, const std::string& path) {
  HR_ASSIGN_OR_RETURN(const Input input, OpenInput(files, path));
  std::vector<bool> integers(input.header.size(), true), numbers(input.header.size(), true);
  std::vector<std::string> row;
  for (int i = 0; i < kRowsToInferFrom; ++i) {
    bool end = false;
    HR_RETURN_IF_ERROR(NextRow(input, &row, &end));
    if (end) break;
    for (size_t k = 0; k < row.size(); ++k) {
      int64_t integer;
      double number;
      if (row[k].empty()) continue;
      if (!ParseInt64(row[k], &integer)) integers[k] = false;
      if (!ParseDouble(row[k], &number)) numbers[k] = false;
    }
  }
  std::vector<ConvertColumn> columns;
  for (size_t k = 0; k < input.header.size(); ++k) {
    columns.push_back({input.header[k], integers[k]  ? FeatureKind::kInt64
                                        : numbers[k] ? FeatureKind::kFloat
                                                     : FeatureKind::kBytes});
  }
  return columns;
}

Status FindColumns(const std::vector<ConvertColumn>& columns, Input* input) {
  for (const ConvertColumn& column : columns) {
    const auto found = std::ranges::find(input->header, column.name);
    if (found == input->header.end()) return InvalidArgument(input->path, ": there is no column '", column.name, "'");
    input->positions.push_back(static_cast<size_t>(found - input->header.begin()));
  }
  return OkStatus();
}

Status AddCell(const Input& input, const ConvertColumn& column, const std::string& cell, ExampleWriter* example) {
  const auto bad = [&](std::string_view what) {
    return InvalidArgument(input.path, ": line ", input.reader->line_number(), ", column '", column.name, "': '", cell,
                           "' is not ", what);
  };
  if (column.kind == FeatureKind::kBytes) {
    example->AddBytes(column.name, {cell});
  } else if (cell.empty()) {
    return OkStatus();
  } else if (column.kind == FeatureKind::kInt64) {
    int64_t value;
    if (!ParseInt64(cell, &value)) return bad("an int64");
    example->AddInt64s(column.name, {value});
  } else {
    double value;
    if (!ParseDouble(cell, &value)) return bad("a number");
    example->AddFloats(column.name, {static_cast<float>(value)});
  }
  return OkStatus();
}

/// The shards, under temporary names until Finish.
class ShardWriters {
 public:
  explicit ShardWriters(FileSystem& files) : files_(files) {}
  ~ShardWriters() {
    writers_.clear();
    for (const std::string& path : finished_ ? std::vector<std::string>() : paths_)
      (void)files_.Delete(Temporary(path)).ok();
  }

  Status Create(const std::string& prefix, int num_shards) {
    for (int i = 0; i < num_shards; ++i) {
      char suffix[64];
      std::snprintf(suffix, sizeof(suffix), "-%05d-of-%05d.tfrecord", i, num_shards);
      paths_.push_back(prefix + suffix);
      HR_ASSIGN_OR_RETURN(writers_.emplace_back(), RecordWriter::Create(files_, Temporary(paths_.back())));
    }
    return OkStatus();
  }
  Status Write(int64_t row, std::string_view record) {
    return writers_[static_cast<size_t>(row) % writers_.size()]->Write(record);
  }
  Status Finish(ConvertSummary* summary) {
    for (const std::unique_ptr<RecordWriter>& writer : writers_) HR_RETURN_IF_ERROR(writer->Close());
    for (const std::string& path : paths_) {
      HR_ASSIGN_OR_RETURN(const int64_t bytes, files_.SizeOf(Temporary(path)));
      summary->bytes += bytes;
    }
    for (const std::string& path : paths_) HR_RETURN_IF_ERROR(files_.Rename(Temporary(path), path));
    finished_ = true;
    summary->paths = paths_;
    return OkStatus();
  }

 private:
  static std::string Temporary(const std::string& path) { return path + ".tmp"; }

  FileSystem& files_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<RecordWriter>> writers_;
  bool finished_ = false;
};

Status ConvertInput(const Input& input, const std::vector<ConvertColumn>& columns, const ConvertOptions& options,
                    ShardWriters* shards, ConvertSummary* summary) {
  ExampleWriter example;
  std::vector<std::string> row;
  while (true) {
    bool end = false;
    HR_RETURN_IF_ERROR(NextRow(input, &row, &end));
    if (end) return OkStatus();
    for (size_t i = 0; i < columns.size(); ++i) {
      HR_RETURN_IF_ERROR(AddCell(input, columns[i], row[input.positions[i]], &example));
    }
    HR_RETURN_IF_ERROR(shards->Write(summary->rows++, example.Take()));
    if (summary->rows % kRowsBetweenProgress == 0 && options.progress) options.progress(summary->rows);
  }
}

}  // namespace

Result<ConvertSummary> ConvertCsv(FileSystem& files, const ConvertOptions& options) {
  if (options.inputs.empty()) return InvalidArgument("there is no file to convert");
  if (options.num_shards < 1 || options.num_shards > 99'999)
    return InvalidArgument("the number of shards must be 1 to 99999, is ", options.num_shards);
  std::vector<ConvertColumn> columns = options.columns;
  if (columns.empty()) {
    HR_ASSIGN_OR_RETURN(columns, InferColumns(files, options.inputs[0]));
  }
  std::ranges::sort(columns, {},
                    &ConvertColumn::name);  // equal rows make equal bytes, whatever the order of the columns
  const auto twice = std::ranges::adjacent_find(columns, {}, &ConvertColumn::name);
  if (twice != columns.end()) return InvalidArgument("the schema names column '", twice->name, "' twice");

  ConvertSummary summary;
  ShardWriters shards(files);
  HR_RETURN_IF_ERROR(shards.Create(options.out_prefix, options.num_shards));
  for (const std::string& path : options.inputs) {
    HR_ASSIGN_OR_RETURN(Input input, OpenInput(files, path));
    HR_RETURN_IF_ERROR(FindColumns(columns, &input));
    HR_RETURN_IF_ERROR(ConvertInput(input, columns, options, &shards, &summary));
  }
  HR_RETURN_IF_ERROR(shards.Finish(&summary));
  return summary;
}

}  // namespace headrace
