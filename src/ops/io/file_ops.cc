// ReadFile: a file's content. WriteFile: makes a file and the directories above it. MatchingFiles: the files that match
// any of some shell patterns, sorted. ShardedFilename: "basename-00001-of-00004".
// Errors: the file system's, which name the path; kInvalidArgument for inputs of a wrong rank.
#include <algorithm>
#include <cstdio>

#include "graph/shape_context.h"
#include "ops/io/blocking_kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

Status ScalarsShape(ShapeContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.RequireScalar(i));
  return c.num_outputs() == 0 ? OkStatus() : c.SetOutput(0, PartialShape::Scalar());
}

Status Read(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::string* path, StringScalar(c, 0, "filename"));
  HR_ASSIGN_OR_RETURN(std::string content, ReadWholeFile(*c.runtime().files, *path));
  return c.SetOutput(0, Tensor::Scalar(std::move(content)));
}

Status Write(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::string* path, StringScalar(c, 0, "filename"));
  HR_ASSIGN_OR_RETURN(const std::string* content, StringScalar(c, 1, "contents"));
  FileSystem& files = *c.runtime().files;
  const size_t slash = path->rfind('/');
  if (slash != std::string::npos && slash > 0) HR_RETURN_IF_ERROR(files.MakeDirectories(path->substr(0, slash)));
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(*path));
  HR_RETURN_IF_ERROR(file->Append(*content));
  return file->Close();
}

Status MatchingShape(ShapeContext& c) {
  if (c.input(0).has_rank() && c.input(0).rank() > 1) HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  return c.SetOutput(0, PartialShape::UnknownOfRank(1));
}

Status Matching(KernelContext& c) {
  const Tensor& patterns = c.input(0);
  if (patterns.rank() > 1)
    return InvalidArgument("Input patterns tensor must be scalar or vector, but had shape: ", patterns.shape());
  std::vector<std::string> all;
  for (const std::string& pattern : patterns.data<std::string>()) {
    HR_ASSIGN_OR_RETURN(std::vector<std::string> matches, c.runtime().files->Match(pattern));
    std::ranges::move(matches, std::back_inserter(all));
  }
  std::ranges::sort(all);
  return c.SetOutput(0, Tensor::Vector(all));
}

Status ShardedFilename(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::string* base, StringScalar(c, 0, "basename"));
  if (c.input(1).num_elements() != 1 || c.input(2).num_elements() != 1) {
    return InvalidArgument("ShardedFilename: shard and num_shards must be scalars, got ", c.input(1), " and ",
                           c.input(2));
  }
  char suffix[40];
  std::snprintf(suffix, sizeof(suffix), "-%05d-of-%05d", c.input(1).scalar<int32_t>(), c.input(2).scalar<int32_t>());
  return c.SetOutput(0, Tensor::Scalar(*base + suffix));
}

}  // namespace

std::vector<OpDefinition> FileOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("ReadFile(filename: str) -> (contents: str)")
                    .Shape(ScalarsShape)
                    .NoGradient("reads files")
                    .Kernels(AnyType(ClassKernel<BlockingFunctionKernel<Read>>())));
  ops.push_back(OpDefinition("WriteFile(filename: str, contents: str) -> () | stateful")
                    .Shape(ScalarsShape)
                    .NoGradient("writes files")
                    .Kernels(AnyType(ClassKernel<BlockingFunctionKernel<Write>>())));
  ops.push_back(OpDefinition("MatchingFiles(pattern: str) -> (filenames: str)")
                    .Shape(MatchingShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<BlockingFunctionKernel<Matching>>())));
  ops.push_back(OpDefinition("ShardedFilename(basename: str, shard: i32, num_shards: i32) -> (filename: str)")
                    .Shape(ScalarsShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(FunctionKernel(ShardedFilename), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
