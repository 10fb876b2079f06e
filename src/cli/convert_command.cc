// headrace convert: CSV files into shards of TFRecord files.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/csv_to_records.h"

namespace headrace {
namespace {

struct ConvertFlags {
  std::string schema;
  ConvertOptions options;
};

Result<ConvertSummary> Convert(ConvertFlags& flags) {
  FileSystem& files = RealFileSystem();
  if (!flags.schema.empty()) {
    HR_ASSIGN_OR_RETURN(const std::string json, ReadWholeFile(files, flags.schema));
    Result<std::vector<ConvertColumn>> columns = ParseConvertSchema(json);
    if (!columns.ok()) return InvalidArgument(flags.schema, ": ", columns.status().message());
    flags.options.columns = *std::move(columns);
  }
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  if (on_terminal) {
    flags.options.progress = [](int64_t rows) {
      std::fprintf(stderr, "\rheadrace convert: %lld rows", static_cast<long long>(rows));
    };
  }
  Result<ConvertSummary> summary = ConvertCsv(files, flags.options);
  if (on_terminal) std::fprintf(stderr, "\r\033[K");
  return summary;
}

int RunConvert(ConvertFlags& flags) {
  const Result<ConvertSummary> summary = Convert(flags);
  if (!summary.ok()) {
    std::fprintf(stderr, "headrace convert: %s\n", summary.status().ToString().c_str());
    return 1;
  }
  std::printf("headrace convert: %lld rows in %zu shards, %lld bytes: %s ...\n", static_cast<long long>(summary->rows),
              summary->paths.size(), static_cast<long long>(summary->bytes), summary->paths[0].c_str());
  return 0;
}

}  // namespace

void AddConvertCommand(CLI::App& app, CommandRun* run) {
  CLI::App* command = app.add_subcommand("convert", "Turn CSV files into TFRecord files of tf.train.Example");
  auto flags = std::make_shared<ConvertFlags>();
  command
      ->add_option("--schema", flags->schema,
                   "JSON file that names the columns and their types; else both come from the CSV")
      ->check(CLI::ExistingFile);
  command->add_option("--shards", flags->options.num_shards, "How many files to write")->capture_default_str();
  command->add_option("--out", flags->options.out_prefix, "The files' names up to -00000-of-00001.tfrecord")
      ->required();
  command->add_option("INPUT", flags->options.inputs, "CSV files, each with a first line of column names")->required();
  command->callback([flags, run] { *run = [flags] { return RunConvert(*flags); }; });
}

}  // namespace headrace
