#include "data/dataset.h"

namespace headrace {

Result<int64_t> Stage::Skip(int64_t count) {
  for (int64_t skipped = 0; skipped < count; ++skipped) {
    Element element;
    bool end = false;
    HR_RETURN_IF_ERROR(Next(&element, &end));
    if (end) return skipped;
  }
  return count;
}

Result<std::shared_ptr<const Dataset>> DatasetFromTensor(const Tensor& tensor) {
  if (tensor.dtype() != DType::kVariant || tensor.num_elements() != 1) {
    return InvalidArgument("Expected a dataset (a variant scalar), got ", tensor);
  }
  std::shared_ptr<const Dataset> dataset = tensor.scalar<Variant>().As<Dataset>();
  if (dataset == nullptr) return InvalidArgument("Expected a dataset, the variant holds something else");
  return dataset;
}

Tensor DatasetToTensor(std::shared_ptr<const Dataset> dataset) {
  return Tensor::Scalar<Variant>(Variant(std::move(dataset)));
}

}  // namespace headrace
