#include "ops/summary/summary_proto.h"

#include "headrace/proto/summary.pb.h"
#include "tensor/tensor_proto.h"

namespace headrace {

SummaryValues::SummaryValues() : summary_(std::make_unique<proto::Summary>()) {}
SummaryValues::~SummaryValues() = default;

void SummaryValues::AddScalar(const std::string& tag, float number) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_tag(tag);
  value->set_simple_value(number);
}

void SummaryValues::AddHistogram(const std::string& tag, const Histogram& histogram) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_tag(tag);
  proto::HistogramProto* out = value->mutable_histo();
  out->set_min(histogram.min());
  out->set_max(histogram.max());
  out->set_num(histogram.num());
  out->set_sum(histogram.sum());
  out->set_sum_squares(histogram.sum_squares());
  for (const Histogram::Bucket& bucket : histogram.Buckets()) {
    out->add_bucket_limit(bucket.limit);
    out->add_bucket(bucket.count);
  }
}

void SummaryValues::AddImage(const std::string& tag, Image image) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_tag(tag);
  proto::Summary::Image* out = value->mutable_image();
  out->set_height(static_cast<int32_t>(image.height));
  out->set_width(static_cast<int32_t>(image.width));
  out->set_colorspace(image.channels);
  out->set_encoded_image_string(std::move(image.png));
}

void SummaryValues::AddAudio(const std::string& tag, Audio audio) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_tag(tag);
  proto::Summary::Audio* out = value->mutable_audio();
  out->set_sample_rate(audio.sample_rate);
  out->set_num_channels(audio.num_channels);
  out->set_length_frames(audio.num_frames);
  out->set_encoded_audio_string(std::move(audio.wav));
  out->set_content_type("audio/wav");
}

Status SummaryValues::AddTensor(const std::string& tag, const Tensor& tensor, std::string_view metadata) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_tag(tag);
  if (!value->mutable_metadata()->ParseFromArray(metadata.data(), static_cast<int>(metadata.size()))) {
    return InvalidArgument("Could not parse the ", metadata.size(), " bytes of serialized_summary_metadata");
  }
  return TensorToProto(tensor, value->mutable_tensor());
}

Status SummaryValues::AddNodeTensor(const std::string& node_name, const Tensor& tensor) {
  proto::Summary::Value* value = summary_->add_value();
  value->set_node_name(node_name);
  return TensorToProto(tensor, value->mutable_tensor());
}

Status SummaryValues::AddAll(std::string_view summary) {
  proto::Summary other;
  if (!other.ParseFromArray(summary.data(), static_cast<int>(summary.size()))) {
    return InvalidArgument("Could not parse one of the summary inputs");
  }
  for (proto::Summary::Value& value : *other.mutable_value()) {
    if (!value.tag().empty() && !merged_tags_.insert(value.tag()).second) {
      return InvalidArgument("Duplicate tag ", value.tag(), " found in summary inputs");
    }
    summary_->add_value()->Swap(&value);
  }
  return OkStatus();
}

std::string SummaryValues::Serialize() const { return summary_->SerializeAsString(); }

}  // namespace headrace
