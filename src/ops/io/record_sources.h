// The kinds of files that readers read. Keys are "file:place"; the place is a line, a byte or a record, as in TensorFlow.
#pragma once

#include "format/record_file.h"
#include "ops/io/reader.h"

namespace headrace {

/// Lines, without the first ones; counted from 1.
OpenRecordSource TextLineSource(int64_t skip_header_lines);
/// TFRecord files; places are byte offsets.
OpenRecordSource TfRecordSource(Compression compression);

struct FixedLength {
  int64_t header_bytes;
  int64_t record_bytes;
  int64_t footer_bytes;
  int64_t hop_bytes;  // from one record to the next; 0: record_bytes
};
/// Records of one length between a header and a footer; a rest that is no record is left out. Records are counted from 0.
OpenRecordSource FixedLengthSource(const FixedLength& layout, Compression compression);
/// One record: the file; its key is the path.
OpenRecordSource WholeFileSource();
/// One record: the path.
OpenRecordSource IdentitySource();

}  // namespace headrace
