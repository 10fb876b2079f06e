// SummaryValues: builds a summary in wire form, TensorFlow's message Summary.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "ops/summary/histogram.h"
#include "tensor/tensor.h"

namespace headrace {

namespace proto {
class Summary;
}

class SummaryValues {
 public:
  SummaryValues();
  ~SummaryValues();

  struct Image {
    int64_t height, width;
    int channels;
    std::string png;
  };
  struct Audio {
    float sample_rate;
    int64_t num_channels, num_frames;
    std::string wav;
  };
  void AddScalar(const std::string& tag, float value);
  void AddHistogram(const std::string& tag, const Histogram& histogram);
  void AddImage(const std::string& tag, Image image);
  void AddAudio(const std::string& tag, Audio audio);
  /// `metadata` is TensorFlow's SummaryMetadata in wire form. Errors: kInvalidArgument for what is none; the tensor codec's.
  Status AddTensor(const std::string& tag, const Tensor& tensor, std::string_view metadata);
  /// A value without tag, named by its node.
  Status AddNodeTensor(const std::string& node_name, const Tensor& tensor);
  /// Adds the values of a summary. Errors: kInvalidArgument for bytes that are none, or a tag that was added so before.
  Status AddAll(std::string_view summary);

  std::string Serialize() const;

 private:
  const std::unique_ptr<proto::Summary> summary_;
  std::set<std::string> merged_tags_;  // of AddAll
};

}  // namespace headrace
