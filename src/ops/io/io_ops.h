// The ops of the family `io`, by file; io_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> CheckpointOps();     // checkpoint_ops.cc
std::vector<OpDefinition> FileOps();           // file_ops.cc
std::vector<OpDefinition> ParseExampleOps();   // parse_example_ops.cc
std::vector<OpDefinition> ParseSequenceOps();  // parse_sequence_ops.cc
std::vector<OpDefinition> DecodeCsvOps();      // decode_csv.cc
std::vector<OpDefinition> DecodeRawOps();      // decode_raw.cc
std::vector<OpDefinition> StringValueOps();    // string_value_ops.cc
std::vector<OpDefinition> ImageCodecOps();     // image_codec_ops.cc
std::vector<OpDefinition> RegexOps();          // regex_ops.cc
std::vector<OpDefinition> ReaderOps();         // reader_ops.cc
std::vector<OpDefinition> StringHashOps();     // string_hash.cc
std::vector<OpDefinition> StringSplitOps();    // string_split.cc
std::vector<OpDefinition> StringTextOps();     // string_text_ops.cc
std::vector<OpDefinition> AsStringOps();       // as_string.cc
std::vector<OpDefinition> ReduceJoinOps();     // reduce_join.cc
std::vector<OpDefinition> Base64Ops();         // base64.cc
std::vector<OpDefinition> PrintOps();          // print_ops.cc
std::vector<OpDefinition> TensorBytesOps();    // tensor_bytes_proto.cc

}  // namespace headrace
