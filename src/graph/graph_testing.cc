#include "graph/graph_testing.h"

#include "graph/op_definition.h"
#include "graph/shape_context.h"

namespace headrace {

namespace {

Status ConstShape(ShapeContext& c) { return c.SetOutput(0, PartialShape(c.attr<Tensor>("value").shape())); }

Status DeclaredShape(ShapeContext& c) { return c.SetOutput(0, c.attr<PartialShape>("shape")); }

Status ShapeOfInput(ShapeContext& c) {
  if (!c.input(0).has_rank()) return c.SetOutput(0, PartialShape::UnknownOfRank(1));
  return c.SetOutput(0, PartialShape({c.input(0).rank()}));
}

Status FillShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(0));
  return c.SetOutput(0, std::move(shape));
}

Status PackShape(ShapeContext& c) { return c.SetOutput(0, PartialShape({c.num_inputs()})); }

Status ConcatShape(ShapeContext& c) {
  int64_t size = 0;
  for (int i = 0; i + 1 < c.num_inputs(); ++i) {
    HR_ASSIGN_OR_RETURN(const PartialShape part, c.InputOfRank(i, 1));
    if (part.dim(0) == PartialShape::kUnknownDim) return c.SetOutput(0, PartialShape::UnknownOfRank(1));
    size += part.dim(0);
  }
  return c.SetOutput(0, PartialShape({size}));
}

// Of the rows [1, size) of a vector, the one slice that the tests take, or of one element.
Status RestShape(ShapeContext& c) {
  if (c.attr<int64_t>("shrink_axis_mask") != 0) return c.SetOutput(0, PartialShape::Scalar());
  HR_ASSIGN_OR_RETURN(const PartialShape vector, c.InputOfRank(0, 1));
  return c.SetOutput(0, PartialShape({vector.dim(0) > 0 ? vector.dim(0) - 1 : vector.dim(0)}));
}

void AddTestOps(OpRegistry& registry) {
  const auto add = [&registry](std::string_view signature, ShapeFunction shape = UnknownShape) {
    registry.Add(OpDefinition(signature).Shape(std::move(shape)).NoGradient("of a test"));
  };
  add("Const() -> (output: dtype) | value: tensor | dtype: type", ConstShape);
  add("Placeholder() -> (output: dtype) | dtype: type | shape: shape = <unknown>", DeclaredShape);
  add("Identity(input: T) -> (output: T) | T: type", UnchangedShape);
  add("Neg(x: T) -> (y: T) | T: type in {f32,f64}", UnchangedShape);
  add("AddV2(x: T, y: T) -> (z: T) | T: type in {f32,f64,i32,i64}", BroadcastBinaryShape);
  add("Fill(dims: index_type, value: T) -> (output: T) | T: type | index_type: type = i32 in {i32,i64}", FillShape);
  add("Shape(input: T) -> (output: out_type) | T: type | out_type: type = i32 in {i32,i64}", ShapeOfInput);
  add("Pack(values: N * T) -> (output: T) | N: int >= 1 | T: type | axis: int = 0", PackShape);
  add("ConcatV2(values: N * T, axis: Tidx) -> (output: T) | N: int >= 2 | T: type | Tidx: type = i32 in {i32,i64}",
      ConcatShape);
  add("IdentityN(input: list(T)) -> (output: list(T)) | T: list(type) >= 1");
  add("Split2(value: T) -> (first: T, second: T) | T: type");
  add("Pairs(keys: N * i64, values: N * T) -> (out: T) | N: int >= 1 | T: type");
  add("VariableV2() -> (ref: Ref(dtype)) | shape: shape | dtype: type | container: string = '' | shared_name: string = "
      "'' "
      "| stateful",
      DeclaredShape);
  add("Assign(ref: Ref(T), value: T) -> (output_ref: Ref(T)) | T: type");
  add("NoOp() -> ()", NoOutputs);
  add("Merge(inputs: N * T) -> (output: T, value_index: i32) | T: type | N: int >= 1");
  add("NextIteration(data: T) -> (output: T) | T: type", UnchangedShape);
  add("ZerosLike(x: T) -> (y: T) | T: type", UnchangedShape);
  add("StridedSlice(input: T, begin: Index, end: Index, strides: Index) -> (output: T) | T: type | Index: type in "
      "{i32,i64} "
      "| shrink_axis_mask: int = 0 | end_mask: int = 0",
      RestShape);
  add("UnsortedSegmentSum(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> (output: T) | T: type "
      "| Tindices: type | Tnumsegments: type = i32");
  add("_Arg() -> (output: T) | T: type | index: int >= 0 | stateful");
  add("_Retval(input: T) -> () | T: type | index: int >= 0 | stateful", NoOutputs);
  add("PartitionedCall(args: list(Tin)) -> (output: list(Tout)) | Tin: list(type) >= 0 | Tout: list(type) >= 0 | f: "
      "func");
  add("Call(args: list(Tin)) -> (output: list(Tout)) | Tin: list(type) >= 0 | Tout: list(type) >= 0 | f: func");
}

}  // namespace

void RegisterGraphTestOps() { [[maybe_unused]] static const bool done = (AddTestOps(OpRegistry::Global()), true); }

}  // namespace headrace
