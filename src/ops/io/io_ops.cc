#include "ops/io/io_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterIoOps(OpRegistry& registry) {
  constexpr std::vector<OpDefinition> (*kLists[])() = {
      CheckpointOps,  FileOps,       ParseExampleOps, ParseSequenceOps, DecodeCsvOps,   DecodeRawOps,
      StringValueOps, ImageCodecOps, RegexOps,        ReaderOps,        StringHashOps,  StringSplitOps,
      StringTextOps,  AsStringOps,   ReduceJoinOps,   Base64Ops,        TensorBytesOps, PrintOps};
  for (const auto list : kLists) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
