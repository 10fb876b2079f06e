// What the records hold, read from the schema.json that prepare.py writes.
#pragma once

#include <headrace/headrace.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flights {

namespace hr = headrace::api;

struct Schema {
  struct Categorical {
    std::string name;
    int64_t vocabulary_size;
    bool is_cross;  // made of two others: wide part only
  };
  std::vector<Categorical> categorical;
  std::vector<std::string> numeric;
  int64_t train_rows = 0;

  static hr::Result<Schema> Read(const std::string& path) {
    std::ifstream file(path);
    const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.contains("columns")) {
      return hr::Status(hr::Code::kInvalidArgument, path + ": no schema: run examples/flights/run");
    }
    Schema schema;
    schema.train_rows = json.value("train_rows", int64_t{0});
    for (const nlohmann::json& column : json["columns"]) {
      const std::string role = column.value("role", ""), name = column.value("name", "");
      if (role == "numeric") schema.numeric.push_back(name);
      if (role != "categorical") continue;
      schema.categorical.push_back({name, column.value("vocabulary_size", int64_t{1}), column.contains("cross")});
    }
    return schema;
  }

  std::vector<hr::Feature> Features() const {
    std::vector<hr::Feature> features = {hr::Feature::Fixed("id", hr::DType::kInt64),
                                         hr::Feature::Fixed("label", hr::DType::kInt64)};
    for (const Categorical& column : categorical)
      features.push_back(hr::Feature::Fixed(column.name, hr::DType::kInt64));
    for (const std::string& name : numeric) features.push_back(hr::Feature::Fixed(name, hr::DType::kFloat));
    return features;
  }
};

}  // namespace flights
