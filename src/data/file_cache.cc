// Cache in a file: yields the input's elements and writes them to PATH.cache; runs that begin after one has reached the end read
// them back, also in other processes. Each run writes a file of its own beside it and gives it the name at its end, so that a file
// of that name is whole. Memory: one element and a read buffer. Blocks on files.
//
//   file    = TFRecord file, one record for each element
//   record  = { component }, in order
//   component = type, rank, { extent } as varints; then the bytes of plain data, or for strings { length as varint, bytes }
#include <cstring>

#include "data/stages.h"
#include "format/example.h"
#include "format/little_endian.h"
#include "format/record_file.h"
#include "os/clock.h"

namespace headrace {

namespace {

void EncodeElement(const Element& element, std::string* out) {
  for (const Tensor& tensor : element) {
    AppendVarint(*out, static_cast<uint64_t>(tensor.dtype()));
    AppendVarint(*out, static_cast<uint64_t>(tensor.rank()));
    for (int64_t dim : tensor.shape().dims()) AppendVarint(*out, static_cast<uint64_t>(dim));
    if (tensor.dtype() != DType::kString) {
      out->append(tensor.bytes());
      continue;
    }
    for (const std::string& text : tensor.data<std::string>()) {
      AppendVarint(*out, text.size());
      out->append(text);
    }
  }
}

/// Reads a component's values; false where the record ends before.
bool DecodeValues(WireCursor& cursor, Tensor* tensor) {
  std::string_view bytes;
  if (tensor->dtype() != DType::kString) {
    if (!cursor.ReadRaw(static_cast<uint64_t>(tensor->size_bytes()), &bytes)) return false;
    if (!bytes.empty()) std::memcpy(tensor->mutable_raw(), bytes.data(), bytes.size());
    return true;
  }
  for (std::string& text : tensor->mutable_data<std::string>()) {
    if (!cursor.ReadBytes(&bytes)) return false;
    text.assign(bytes);
  }
  return true;
}

/// False where the record ends before. An element takes a byte at least, so that no shape asks for more than the record's size.
bool DecodeShape(WireCursor& cursor, Shape* shape) {
  uint64_t rank;
  if (!cursor.ReadVarint(&rank) || rank > Shape::kMaxRank) return false;
  std::vector<int64_t> dims(rank);
  for (int64_t& dim : dims) {
    uint64_t extent;
    if (!cursor.ReadVarint(&extent)) return false;
    dim = static_cast<int64_t>(extent);
  }
  Result<Shape> made = Shape::Make(dims);
  if (!made.ok() || made->num_elements() > cursor.Remaining()) return false;
  *shape = *std::move(made);
  return true;
}

Status DecodeElement(std::string_view record, const std::string& path, const std::vector<DType>& types,
                     const std::shared_ptr<MemoryAccount>& account, Element* element) {
  element->clear();
  WireCursor cursor(record);
  for (DType type : types) {
    uint64_t stored_type;
    Shape shape;
    if (!cursor.ReadVarint(&stored_type)) return DataLoss("Cache: ", path, ": an element is cut short");
    if (stored_type != static_cast<uint64_t>(type)) {
      return InvalidArgument("Cache: ", path, ": component ", element->size(), " has type number ", stored_type,
                             ", the dataset has ", DTypeName(type), " (", static_cast<int>(type),
                             "): the file is of another dataset");
    }
    if (!DecodeShape(cursor, &shape)) return DataLoss("Cache: ", path, ": an element is cut short");
    HR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, shape, account));
    if (!DecodeValues(cursor, &tensor)) return DataLoss("Cache: ", path, ": an element is cut short");
    element->push_back(std::move(tensor));
  }
  if (cursor.AtEnd()) return OkStatus();
  return InvalidArgument("Cache: ", path, ": an element has more than ", types.size(),
                         " components: the file is of another dataset");
}

class WritingStage final : public Stage {
 public:
  WritingStage(FileSystem* files, std::unique_ptr<Stage> input, std::string path)
      : files_(files),
        input_(std::move(input)),
        path_(std::move(path)),
        part_path_(StrCat(path_, ".part-", RandomBits())) {}
  ~WritingStage() override { Abandon(); }

  Status Next(Element* element, bool* end) override {
    *end = ended_;
    if (ended_) return OkStatus();
    if (!begun_) {
      begun_ = true;
      HR_ASSIGN_OR_RETURN(writer_, RecordWriter::Create(*files_, part_path_));
    }
    const Status status = input_->Next(element, end);
    if (!status.ok()) {
      Abandon();  // an element is missing
      return status;
    }
    ended_ = *end;
    if (writer_ == nullptr) return OkStatus();
    if (ended_) return Complete();
    std::string record;
    EncodeElement(*element, &record);
    return writer_->Write(record);
  }
  bool MayBlock() const override { return true; }

 private:
  Status Complete() {
    HR_RETURN_IF_ERROR(writer_->Close());
    writer_.reset();
    return files_->Rename(part_path_, path_);
  }
  void Abandon() {
    if (writer_ == nullptr) return;
    writer_.reset();
    (void)files_->Delete(part_path_);  // what cannot be deleted is in nobody's way
  }

  FileSystem* const files_;
  const std::unique_ptr<Stage> input_;
  const std::string path_;
  const std::string part_path_;
  std::unique_ptr<RecordWriter> writer_;  // null when the run is not kept
  bool begun_ = false;
  bool ended_ = false;
};

class ReadingStage final : public Stage {
 public:
  ReadingStage(IteratorContext* context, std::unique_ptr<RecordReader> reader, const std::string& path,
               const std::vector<DType>& types)
      : context_(context), reader_(std::move(reader)), path_(path), types_(types) {}
  Status Next(Element* element, bool* end) override {
    std::string_view record;
    HR_RETURN_IF_ERROR(reader_->Next(&record, end));
    if (*end) return OkStatus();
    const Status status = DecodeElement(record, path_, types_, context_->memory, element);
    if (!status.ok()) element->clear();  // no part of an element
    return status;
  }
  Result<int64_t> Skip(int64_t count) override { return reader_->Skip(count); }
  bool MayBlock() const override { return true; }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<RecordReader> reader_;
  const std::string& path_;
  const std::vector<DType>& types_;
};

class FileCacheDataset final : public SpecDataset {
 public:
  FileCacheDataset(DatasetPtr input, std::string path)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), path_(std::move(path)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    FileSystem* files = context->runtime->files;
    if (files->Exists(path_)) {
      HR_ASSIGN_OR_RETURN(std::unique_ptr<RecordReader> reader, RecordReader::Open(*files, path_));
      return std::unique_ptr<Stage>(std::make_unique<ReadingStage>(context, std::move(reader), path_, output_types()));
    }
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<WritingStage>(files, std::move(input), path_));
  }
  int64_t Cardinality() const override { return input_->Cardinality(); }

 private:
  const DatasetPtr input_;
  const std::string path_;
};

}  // namespace

Result<DatasetPtr> MakeFileCacheDataset(DatasetPtr input, const std::string& path) {
  for (DType type : input->output_types()) {
    if (IsPlainData(type) || type == DType::kString) continue;
    return InvalidArgument("Cache: elements with components of type ", DTypeName(type), " cannot be kept in a file (",
                           path, ")");
  }
  return DatasetPtr(std::make_shared<FileCacheDataset>(std::move(input), StrCat(path, ".cache")));
}

}  // namespace headrace
