// TensorProto codec: tensors and shapes to and from TensorFlow's wire form.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

namespace proto {
class TensorProto;
class TensorShapeProto;
}  // namespace proto

/// Reads a tensor in any form that occurs: raw content, typed lists, lists whose last value repeats. Sizes are checked before
/// anything is allocated; what is expanded from fewer values may take 2 GiB at most.
/// Errors: kInvalidArgument for a bad dtype or shape, or values that do not fit; kResourceExhausted over the account's limit.
Result<Tensor> TensorFromProto(const proto::TensorProto& proto,
                               const std::shared_ptr<MemoryAccount>& account = nullptr);

/// Writes raw content for plain data, lists for strings, handles and variants.
/// Errors: kInvalidArgument for an invalid tensor; those of VariantObject::Encode.
Status TensorToProto(const Tensor& tensor, proto::TensorProto* proto);

/// Errors: kInvalidArgument for an extent below -1 or a rank over Shape::kMaxRank.
Result<PartialShape> ShapeFromProto(const proto::TensorShapeProto& proto);
void ShapeToProto(const PartialShape& shape, proto::TensorShapeProto* proto);

/// A variant value as it came over the wire, of a type that nobody here reads: kept as it is and written again unchanged.
class OpaqueVariant final : public VariantObject {
 public:
  OpaqueVariant(std::string type_name, std::string metadata, std::vector<Tensor> tensors)
      : type_name_(std::move(type_name)), metadata_(std::move(metadata)), tensors_(std::move(tensors)) {}
  std::string TypeName() const override { return type_name_; }
  Status Encode(std::string* out) const override {
    out->append(metadata_);
    return OkStatus();
  }
  const std::string& metadata() const { return metadata_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  std::string type_name_;
  std::string metadata_;
  std::vector<Tensor> tensors_;
};

/// Makes the object that was encoded. Errors: kDataLoss or kInvalidArgument for bytes that it cannot read.
using VariantDecoder = std::function<Result<std::shared_ptr<const VariantObject>>(const OpaqueVariant& encoded)>;

/// Lets TensorFromProto make objects of `type_name`. Called by the composition roots before use; not thread-safe.
void RegisterVariantDecoder(std::string type_name, VariantDecoder decoder);

}  // namespace headrace
