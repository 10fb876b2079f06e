// Reads a record file that is larger than the memory it may take: large_records [DIRECTORY [GIGABYTES]].
// Writes the file, reads it through shuffle, batch and prefetch, and fails unless every record came exactly once and the
// process never held more than 300 MB.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "data/stages.h"
#include "kernel/runtime.h"

namespace headrace {
namespace {

constexpr int64_t kRecordBytes = 1000;
constexpr int64_t kMostResidentMb = 300;

Status WriteRecords(const std::string& path, int64_t count) {
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer, RecordWriter::Create(RealFileSystem(), path));
  std::string record(kRecordBytes, 'r');
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(record.data(), &i, sizeof(i));
    HR_RETURN_IF_ERROR(writer->Write(record));
  }
  return writer->Close();
}

Result<DatasetPtr> Pipeline(const std::string& path) {
  DatasetPtr records = MakeRecordDataset({path}, Compression::kNone, RecordReader::kDefaultBufferBytes);
  HR_ASSIGN_OR_RETURN(
      DatasetPtr shuffled,
      MakeShuffleDataset(std::move(records),
                         {.buffer_size = 10'000, .seeds = std::make_shared<SeedGenerator>(Seeds{1, 2}, false)}));
  HR_ASSIGN_OR_RETURN(DatasetPtr batches, MakeBatchDataset(std::move(shuffled), 512, false));
  return MakePrefetchDataset(std::move(batches), -1);
}

/// Errors: kInternal for a record that came twice or not at all.
Status ReadRecords(const std::string& path, int64_t count) {
  HR_ASSIGN_OR_RETURN(const DatasetPtr dataset, Pipeline(path));
  IteratorContext context;
  context.runtime = Runtime::Default();
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<Stage> stage, dataset->MakeStage(&context));
  std::vector<bool> seen(static_cast<size_t>(count));
  int64_t total = 0;
  while (true) {
    Element element;
    bool end = false;
    HR_RETURN_IF_ERROR(stage->Next(&element, &end));
    if (end) break;
    for (const std::string& record : element[0].data<std::string>()) {
      int64_t i = -1;
      if (record.size() == kRecordBytes) std::memcpy(&i, record.data(), sizeof(i));
      if (i < 0 || i >= count || seen[static_cast<size_t>(i)])
        return Internal("record ", i, " came twice, or is none of ours");
      seen[static_cast<size_t>(i)] = true;
      ++total;
    }
  }
  return total == count ? OkStatus() : Internal("of ", count, " records ", total, " came");
}

/// The most memory that this process has had resident.
Result<int64_t> MostResidentMb() {
  HR_ASSIGN_OR_RETURN(const std::string status, ReadWholeFile(RealFileSystem(), "/proc/self/status"));
  const size_t at = status.find("VmHWM:");
  if (at == std::string::npos) return Internal("/proc/self/status has no VmHWM");
  return std::atoll(status.c_str() + at + 6) / 1024;
}

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Status Run(const std::string& directory, double gigabytes) {
  const std::string path = JoinPath(directory, "headrace-large.tfrecord");
  const auto count = static_cast<int64_t>(gigabytes * 1e9 / kRecordBytes);
  const double begin = Seconds();
  HR_RETURN_IF_ERROR(WriteRecords(path, count));
  const double written = Seconds();
  const Status status = ReadRecords(path, count);
  const double read = Seconds();
  HR_RETURN_IF_ERROR(RealFileSystem().Delete(path));
  HR_RETURN_IF_ERROR(status);
  HR_ASSIGN_OR_RETURN(const int64_t most_mb, MostResidentMb());
  std::printf(
      "large_records: %.1f GB, %lld records: written in %.1f s, read in %.1f s (%.0f MB/s), at most %lld MB resident\n",
      gigabytes, static_cast<long long>(count), written - begin, read - written, gigabytes * 1000 / (read - written),
      static_cast<long long>(most_mb));
  return most_mb < kMostResidentMb ? OkStatus()
                                   : ResourceExhausted(most_mb, " MB were resident, allowed are ", kMostResidentMb);
}

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  const headrace::Status status = headrace::Run(argc > 1 ? argv[1] : ".", argc > 2 ? std::atof(argv[2]) : 4);
  if (!status.ok()) std::fprintf(stderr, "large_records: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
