// Readers of TensorFlow 1 (reader.h): TextLineReader, TFRecordReader, FixedLengthRecordReader, WholeFileReader, IdentityReader (their
// handles); ReaderRead and ReaderReadUpTo take file names from a queue and give keys and records; ReaderReset;
// ReaderNumRecordsProduced; ReaderNumWorkUnitsCompleted (files). V2 take and give resource handles, the others refs.
// Errors: of Reader; kInvalidArgument for attributes below 0 and for a queue that is not one of strings.
#include "ops/data_flow/queue.h"
#include "ops/io/io_ops.h"
#include "ops/io/reader.h"
#include "ops/io/record_sources.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

using MakeSource = Result<OpenRecordSource> (*)(const KernelConstruction&);

Result<int64_t> SizeAttr(const KernelConstruction& c, std::string_view name) {
  const auto value = c.attr<int64_t>(name, 0);
  if (value < 0) return InvalidArgument(name, " must be >= 0 not ", value);
  return value;
}

Result<OpenRecordSource> MakeTextLine(const KernelConstruction& c) {
  HR_ASSIGN_OR_RETURN(const int64_t skipped, SizeAttr(c, "skip_header_lines"));
  return TextLineSource(skipped);
}

Result<OpenRecordSource> MakeTfRecord(const KernelConstruction& c) {
  HR_ASSIGN_OR_RETURN(const Compression compression, ParseCompression(c.attr<std::string>("compression_type")));
  return TfRecordSource(compression);
}

Result<OpenRecordSource> MakeFixedLength(const KernelConstruction& c) {
  FixedLength layout{};
  HR_ASSIGN_OR_RETURN(layout.header_bytes, SizeAttr(c, "header_bytes"));
  HR_ASSIGN_OR_RETURN(layout.record_bytes, SizeAttr(c, "record_bytes"));
  HR_ASSIGN_OR_RETURN(layout.footer_bytes, SizeAttr(c, "footer_bytes"));
  HR_ASSIGN_OR_RETURN(layout.hop_bytes, SizeAttr(c, "hop_bytes"));
  if (layout.record_bytes == 0) return InvalidArgument("record_bytes must be > 0");
  if (layout.record_bytes > INT64_MAX - layout.footer_bytes) {
    return InvalidArgument("record_bytes ", layout.record_bytes, " and footer_bytes ", layout.footer_bytes,
                           " are too large");
  }
  HR_ASSIGN_OR_RETURN(const Compression compression, ParseCompression(c.attr<std::string>("encoding")));
  return FixedLengthSource(layout, compression);
}

Result<OpenRecordSource> MakeWholeFile(const KernelConstruction&) { return WholeFileSource(); }
Result<OpenRecordSource> MakeIdentity(const KernelConstruction&) { return IdentitySource(); }

template <MakeSource kMake> class ReaderHandle final : public ResourceOp<Reader> {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(OpenRecordSource open, kMake(c));
    return std::unique_ptr<Kernel>(std::make_unique<ReaderHandle>(c, std::move(open)));
  }
  ReaderHandle(KernelConstruction& c, OpenRecordSource open) : ResourceOp(c), open_(std::move(open)) {}

 protected:
  Result<std::shared_ptr<Reader>> Make() const override { return std::make_shared<Reader>(open_); }

 private:
  const OpenRecordSource open_;
};

template <bool kUpTo> class Read final : public AsyncKernel {
 public:
  void ComputeAsync(KernelContext& c, Done done) override {
    const Status status = Start(c, done);
    if (!status.ok()) done(status);
  }

 private:
  static Status Start(KernelContext& c, const Done& done) {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Reader> reader, LookupState<Reader>(c, 0));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<Queue> queue, LookupState<Queue>(c, 1));
    if (queue->spec().types != std::vector<DType>{DType::kString}) {
      return InvalidArgument(c.node().op(), ": a reader needs a queue of file names, it has ", queue->DebugString());
    }
    int64_t max_records = 1;
    if constexpr (kUpTo) {
      if (c.input(2).num_elements() != 1) return InvalidArgument(c.node().op(), ": num_records must be a scalar");
      max_records = c.input(2).scalar<int64_t>();
      if (max_records < 1) return InvalidArgument(c.node().op(), ": num_records must be positive, got ", max_records);
    }
    reader->Read(std::move(queue), max_records, c.runtime(), c.cancellation(),
                 [&c, done](const Status& status, std::vector<KeyedRecord> records) {
                   done(status.ok() ? Give(c, std::move(records)) : status);
                 });
    return OkStatus();
  }

  static Status Give(KernelContext& c, std::vector<KeyedRecord> records) {
    const Shape shape = kUpTo ? Shape({static_cast<int64_t>(records.size())}) : Shape();
    HR_ASSIGN_OR_RETURN(Tensor * keys, c.AllocateOutput(0, shape));
    HR_ASSIGN_OR_RETURN(Tensor * values, c.AllocateOutput(1, shape));
    const std::span<std::string> to_keys = keys->mutable_data<std::string>();
    const std::span<std::string> to_values = values->mutable_data<std::string>();
    for (size_t i = 0; i < records.size(); ++i) {
      to_keys[i] = std::move(records[i].key);
      to_values[i] = std::move(records[i].value);
    }
    return OkStatus();
  }
};

class Reset final : public AsyncKernel {
 public:
  void ComputeAsync(KernelContext& c, Done done) override {
    const Result<std::shared_ptr<Reader>> reader = LookupState<Reader>(c, 0);
    if (!reader.ok()) return done(reader.status());
    (*reader)->Reset(c.cancellation(),
                     [done = std::move(done)](const Status& status, const std::vector<KeyedRecord>&) { done(status); });
  }
};

template <int64_t (Reader::*kCount)() const> Status Count(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Reader> reader, LookupState<Reader>(c, 0));
  return c.SetOutput(0, Tensor::Scalar<int64_t>(((*reader).*kCount)()));
}

Status VectorsShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape::UnknownOfRank(1)));
  return c.SetOutput(1, PartialShape::UnknownOfRank(1));
}

struct ReaderRow {
  std::string_view name;
  std::string_view attrs;  // before container and shared_name
  std::string_view more;   // after them
  std::string_view more_v2;
  KernelFactory kernel;
};

struct ReaderOpRow {
  std::string_view name;
  std::string_view more_inputs;
  std::string_view outputs;
  ShapeFunction shape;
  KernelFactory kernel;
};

}  // namespace

std::vector<OpDefinition> ReaderOps() {
  const ReaderRow readers[] = {
      {"TextLineReader", " | skip_header_lines: int = 0", "", "", ClassKernel<ReaderHandle<MakeTextLine>>()},
      {"TFRecordReader", "", " | compression_type: string = ''", "", ClassKernel<ReaderHandle<MakeTfRecord>>()},
      {"FixedLengthRecordReader",
       " | header_bytes: int = 0 | record_bytes: int | footer_bytes: int = 0 | hop_bytes: int = 0", "",
       " | encoding: string = ''", ClassKernel<ReaderHandle<MakeFixedLength>>()},
      {"WholeFileReader", "", "", "", ClassKernel<ReaderHandle<MakeWholeFile>>()},
      {"IdentityReader", "", "", "", ClassKernel<ReaderHandle<MakeIdentity>>()},
  };
  const ReaderOpRow uses[] = {
      {"ReaderRead", ", queue_handle: HANDLE", "key: str, value: str", ScalarShape, ClassKernel<Read<false>>()},
      {"ReaderReadUpTo", ", queue_handle: HANDLE, num_records: i64", "keys: str, values: str", VectorsShape,
       ClassKernel<Read<true>>()},
      {"ReaderReset", "", "", NoOutputs, ClassKernel<Reset>()},
      {"ReaderNumRecordsProduced", "", "records_produced: i64", ScalarShape,
       FunctionKernel(Count<&Reader::num_records_produced>)},
      {"ReaderNumWorkUnitsCompleted", "", "units_completed: i64", ScalarShape,
       FunctionKernel(Count<&Reader::num_work_units_completed>)},
  };
  std::vector<OpDefinition> ops;
  for (const bool v2 : {false, true}) {
    const std::string_view suffix = v2 ? "V2" : "", handle = v2 ? "resource" : "Ref(str)";
    for (const ReaderRow& row : readers) {
      ops.push_back(OpDefinition(StrCat(row.name, suffix, "() -> (reader_handle: ", handle, ")", row.attrs,
                                        " | container: string = '' | shared_name: string = ''", row.more,
                                        v2 ? row.more_v2 : "", " | stateful"))
                        .Shape(HandleShape)
                        .NoGradient("a reader")
                        .Kernels(AnyType(row.kernel, /*cheap=*/true)));
    }
    for (const ReaderOpRow& row : uses) {
      std::string inputs(row.more_inputs);
      if (const size_t at = inputs.find("HANDLE"); at != std::string::npos) inputs.replace(at, 6, handle);
      ops.push_back(OpDefinition(StrCat(row.name, suffix, "(reader_handle: ", handle, inputs, ") -> (", row.outputs,
                                        ")", v2 ? " | stateful" : ""))
                        .Shape(row.shape)
                        .NoGradient("a reader")
                        .Kernels(AnyType(row.kernel, /*cheap=*/true)));
    }
  }
  return ops;
}

}  // namespace headrace
