// Unique: each element the first time that it comes. Memory: the bytes of every element yielded.
#include <unordered_set>

#include "data/stages.h"

namespace headrace {

namespace {

void AppendNumber(std::string* key, int64_t number) {
  key->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// Bytes that are equal where shapes and values are, of tensors of one type.
std::string KeyOf(const Tensor& tensor) {
  std::string key;
  for (const int64_t extent : tensor.shape().dims()) AppendNumber(&key, extent);
  if (tensor.dtype() == DType::kString) {
    for (const std::string& text : tensor.data<std::string>()) {
      AppendNumber(&key, std::ssize(text));
      key += text;
    }
  } else {
    key += tensor.bytes();
  }
  AppendNumber(&key, tensor.rank());  // which tells the extents from the values
  return key;
}

class UniqueStage final : public Stage {
 public:
  UniqueStage(IteratorContext* context, std::unique_ptr<Stage> input) : context_(context), input_(std::move(input)) {}
  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Unique"));
      HR_RETURN_IF_ERROR(input_->Next(element, end));
      if (*end || seen_.insert(KeyOf((*element)[0])).second) return OkStatus();
    }
  }
  bool MayBlock() const override { return true; }  // it may search for long

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  std::unordered_set<std::string> seen_;
};

class UniqueDataset final : public SpecDataset {
 public:
  explicit UniqueDataset(DatasetPtr input) : SpecDataset(SpecOf(*input)), input_(std::move(input)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<UniqueStage>(context, std::move(input)));
  }

 private:
  const DatasetPtr input_;
};

}  // namespace

Result<DatasetPtr> MakeUniqueDataset(DatasetPtr input) {
  const std::vector<DType>& types = input->output_types();
  if (types.size() != 1) {
    return InvalidArgument("UniqueDataset only supports inputs with a single component, got ", types.size(),
                           " components");
  }
  if (types[0] != DType::kInt32 && types[0] != DType::kInt64 && types[0] != DType::kString) {
    return InvalidArgument(
        "UniqueDataset only supports inputs with a single `tf.int32`, `tf.int64`, or `tf.string` "
        "component, got ",
        types[0]);
  }
  return DatasetPtr(std::make_shared<UniqueDataset>(std::move(input)));
}

}  // namespace headrace
