// AudioSummary, AudioSummaryV2: the first clips of a batch [n, frames] or [n, frames, channels] of samples in [-1, 1] as a
// summary of WAV files of 16 bits, tagged TAG/audio (of one) or TAG/audio/I. The sample rate is an attribute or an input.
// Errors: kInvalidArgument for another shape, a tag or rate that is no scalar, a rate that is not positive, too many samples.
#include <algorithm>
#include <cmath>

#include "format/little_endian.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/summary/summary_ops.h"
#include "ops/summary/summary_proto.h"

namespace headrace {

namespace {

void AppendFixed16(std::string& out, int value) { out += {static_cast<char>(value), static_cast<char>(value >> 8)}; }

// RIFF header, format chunk, data chunk.
std::string EncodeWav(const float* samples, int64_t num_frames, int64_t num_channels, uint32_t rate) {
  constexpr uint32_t kSampleBytes = 2, kFormatBytes = 16, kPcm = 1;
  const auto channels = static_cast<uint32_t>(num_channels), frame_bytes = channels * kSampleBytes;
  const uint32_t data_bytes = static_cast<uint32_t>(num_frames) * frame_bytes;
  std::string out = "RIFF";
  AppendFixed32(out, 36 + data_bytes);
  out += "WAVEfmt ";
  AppendFixed32(out, kFormatBytes);
  AppendFixed16(out, kPcm);
  AppendFixed16(out, static_cast<int>(channels));
  AppendFixed32(out, rate);
  AppendFixed32(out, rate * frame_bytes);
  AppendFixed16(out, static_cast<int>(frame_bytes));
  AppendFixed16(out, static_cast<int>(kSampleBytes * 8));
  out += "data";
  AppendFixed32(out, data_bytes);
  out.reserve(out.size() + data_bytes);
  for (int64_t i = 0; i < num_frames * num_channels; ++i) {
    const float scaled = std::isnan(samples[i]) ? 0.0F : std::round(samples[i] * 32768.0F);
    AppendFixed16(out, static_cast<int>(std::clamp(scaled, -32768.0F, 32767.0F)));
  }
  return out;
}

class AudioSummaryKernel final : public Kernel {
 public:
  explicit AudioSummaryKernel(KernelConstruction& c)
      : max_outputs_(c.attr<int64_t>("max_outputs", 3)), sample_rate_(c.attr<float>("sample_rate", 0)) {}

  Status Compute(KernelContext& c) override {
    const Tensor &tag = c.input(0), &clips = c.input(1);
    if (tag.rank() != 0) return InvalidArgument("Tag must be a scalar");
    if (clips.rank() != 2 && clips.rank() != 3)
      return InvalidArgument("Tensor must be 3-D or 2-D, got: ", clips.shape());
    float rate = sample_rate_;
    if (c.num_inputs() > 2) {
      if (c.input(2).num_elements() != 1) return InvalidArgument("sample_rate must be a scalar");
      rate = c.input(2).data<float>()[0];
    }
    if (!(rate > 0 && rate < 4e9F)) return InvalidArgument("sample_rate must be > 0, got ", rate);
    const int64_t frames = clips.dim(1), channels = clips.rank() == 3 ? clips.dim(2) : 1;
    if (channels > 0x7fff || frames > (INT32_MAX - 36) / (2 * std::max<int64_t>(channels, 1))) {
      return InvalidArgument("Tensor too large for an audio summary: ", clips.shape());
    }
    SummaryValues summary;
    for (int64_t i = 0; i < std::min(max_outputs_, clips.dim(0)); ++i) {
      const float* samples = clips.data<float>().data() + i * frames * channels;
      const std::string& base = tag.scalar<std::string>();
      summary.AddAudio(
          max_outputs_ > 1 ? StrCat(base, "/audio/", i) : base + "/audio",
          {rate, channels, frames, EncodeWav(samples, frames, channels, static_cast<uint32_t>(std::lrint(rate)))});
    }
    return c.SetOutput(0, Tensor::Scalar(summary.Serialize()));
  }

 private:
  const int64_t max_outputs_;
  const float sample_rate_;
};

OpDefinition Define(const char* signature) {
  return OpDefinition(signature)
      .Shape(ScalarShape)
      .NoGradient("strings")
      .Kernels(AnyType(ClassKernel<AudioSummaryKernel>()));
}

}  // namespace

std::vector<OpDefinition> AudioSummaryOps() {
  return {
      Define("AudioSummary(tag: str, tensor: f32) -> (summary: str) | sample_rate: float | max_outputs: int = 3 >= 1"),
      Define("AudioSummaryV2(tag: str, tensor: f32, sample_rate: f32) -> (summary: str) | max_outputs: int = 3 >= 1")};
}

}  // namespace headrace
