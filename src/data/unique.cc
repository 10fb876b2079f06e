// Unique: each element the first time that it comes. Memory: the bytes of all different elements.
#include <unordered_set>

#include "data/stages.h"

namespace headrace {

namespace {

void AppendNumber(int64_t number, std::string* key) {
  key->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// Equal exactly for tensors of equal shape and values.
std::string KeyOf(const Tensor& tensor) {
  std::string key;
  for (int i = 0; i < tensor.rank(); ++i) AppendNumber(tensor.dim(i), &key);
  AppendNumber(tensor.rank(), &key);
  if (tensor.dtype() != DType::kString) {
    key.append(tensor.bytes());
    return key;
  }
  for (const std::string& text : tensor.data<std::string>()) {
    AppendNumber(static_cast<int64_t>(text.size()), &key);
    key.append(text);
  }
  return key;
}

class UniqueStage final : public Stage {
 public:
  UniqueStage(IteratorContext* context, std::unique_ptr<Stage> input, DType type)
      : context_(context), input_(std::move(input)), type_(type) {}
  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Unique"));
      HR_RETURN_IF_ERROR(input_->Next(element, end));
      if (*end) return OkStatus();
      if (element->size() != 1 || (*element)[0].dtype() != type_) {
        return InvalidArgument("Unique: expected elements of one ", type_, " tensor, got ", StrJoin(*element, " "));
      }
      if (seen_.insert(KeyOf((*element)[0])).second) return OkStatus();
    }
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const DType type_;
  std::unordered_set<std::string> seen_;
};

class UniqueDataset final : public SpecDataset {
 public:
  explicit UniqueDataset(DatasetPtr input) : SpecDataset(SpecOf(*input)), input_(std::move(input)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<UniqueStage>(context, std::move(input), output_types()[0]));
  }

 private:
  const DatasetPtr input_;
};

}  // namespace

Result<DatasetPtr> MakeUniqueDataset(DatasetPtr input) {
  const std::vector<DType>& types = input->output_types();
  if (types.size() != 1) {
    return InvalidArgument("UniqueDataset only supports inputs with a single component. It got ", types.size());
  }
  if (types[0] != DType::kInt32 && types[0] != DType::kInt64 && types[0] != DType::kString) {
    return InvalidArgument(
        "UniqueDataset only supports inputs with a single `tf.int32`, `tf.int64`, or `tf.string` component. It got ",
        types[0]);
  }
  return DatasetPtr(std::make_shared<UniqueDataset>(std::move(input)));
}

}  // namespace headrace
