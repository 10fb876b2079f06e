// The basic types of the C++ API, under its namespace. Programs write `namespace hr = headrace::api;`.
#pragma once

#include "base/status.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

namespace headrace::api {

using headrace::BFloat16;
using headrace::Code;
using headrace::DType;
using headrace::Half;
using headrace::OkStatus;
using headrace::PartialShape;
using headrace::Result;
using headrace::Shape;
using headrace::Status;
using headrace::Tensor;

}  // namespace headrace::api
