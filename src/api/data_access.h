// What data.cc and data_functions.cc share: how datasets and iterators are made. Not installed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/data.h"
#include "api/scope_state.h"

namespace headrace::api::data {

struct DatasetAccess {
  static Dataset Make(Output variant, std::vector<DType> types, std::vector<PartialShape> shapes) {
    Dataset dataset;
    dataset.variant_ = std::move(variant);
    dataset.types_ = std::move(types);
    dataset.shapes_ = std::move(shapes);
    return dataset;
  }
  static Iterator MakeIterator(Output handle, Operation initializer, const Dataset& dataset) {
    Iterator iterator;
    iterator.handle_ = std::move(handle);
    iterator.initializer_ = std::move(initializer);
    iterator.types_ = dataset.types_;
    iterator.shapes_ = dataset.shapes_;
    return iterator;
  }
};

inline AttrMap SpecAttrs(const std::vector<DType>& types, const std::vector<PartialShape>& shapes) {
  return {{"output_types", types}, {"output_shapes", shapes}};
}

inline Tensor Number(int64_t value) { return Tensor::Scalar<int64_t>(value); }

}  // namespace headrace::api::data
