// CSV files into shards of TFRecord files with one tf.train.Example for each row: what `headrace convert` does.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "format/example.h"
#include "os/file_system.h"

namespace headrace {

/// A column that is wanted, and what its cells become.
struct ConvertColumn {
  std::string name;
  FeatureKind kind = FeatureKind::kNone;
  friend bool operator==(const ConvertColumn&, const ConvertColumn&) = default;
};

/// Reads {"columns": [{"name": "distance", "type": "int64"}, ...]} with types int64, float and bytes. Where "type" is
/// missing, "role" decides: id, label, categorical: int64; numeric: float. Errors: kInvalidArgument.
Result<std::vector<ConvertColumn>> ParseConvertSchema(std::string_view json);

struct ConvertOptions {
  std::vector<std::string> inputs;     // each begins with a line of column names, in any order
  std::vector<ConvertColumn> columns;  // empty: all, with types inferred from the first rows of the first file
  std::string out_prefix;
  int num_shards = 1;
  std::function<void(int64_t rows)> progress;  // called now and then; may be empty
};

struct ConvertSummary {
  int64_t rows = 0;
  int64_t bytes = 0;
  std::vector<std::string> paths;
};

/// Deals the rows round robin to the files "PREFIX-00000-of-00004.tfrecord", ..., which take their names when all are
/// whole. An empty cell of a number becomes no value. Columns that the schema does not name are left out.
/// Errors: kInvalidArgument with file, line, column and value for a cell that is not of its type, for a row of another
/// length than the first line, a column that is missing, and a name that is there twice; those of the files. Then
/// nothing is written.
Result<ConvertSummary> ConvertCsv(FileSystem& files, const ConvertOptions& options);

}  // namespace headrace
