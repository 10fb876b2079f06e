// What the tests of the API share: a graph that a test builds and runs in its own process.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "api/headrace.h"

namespace headrace::api {

inline std::vector<float> Floats(const Result<Tensor>& tensor) {
  EXPECT_TRUE(tensor.ok()) << tensor.status().ToString();
  if (!tensor.ok()) return {};
  return {tensor->data<float>().begin(), tensor->data<float>().end()};
}

struct LocalGraphTest : testing::Test {
  Session Open() {
    Result<Session> session = Session::Open("", root);
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    HR_CHECK(session.ok());
    return *std::move(session);
  }
  Scope root = Scope::NewRoot();
};

}  // namespace headrace::api
