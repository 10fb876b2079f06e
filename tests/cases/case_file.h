// Declarative tests of ops: what a *.case file says, and its reader. README.md shows the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace headrace::cases {

/// `name: f32[2] = 1 2`; `text` is what follows the colon.
struct CaseInput {
  std::string name;
  std::string text;
  int line = 0;
};

/// An op run before or after the op under test: `let v = OP(arg; arg) attrs`, `then OP(arg) attrs -> tensor`.
struct CaseStep {
  std::string result;  // `let`: the name of output 0
  std::string op;
  std::vector<std::string> args;  // "$name", or a tensor's text
  std::string attrs;
  std::string expected;  // `then`: the tensor's text, may be empty
  int line = 0;
};

/// One test.
struct CaseBlock {
  enum class Kind { kRun, kError, kGradient };
  Kind kind = Kind::kRun;
  std::string op;
  std::string title;
  std::string attrs;  // "a=1 b=[1,2]"
  std::vector<CaseInput> inputs;
  std::vector<std::string> expected;  // a tensor's text for each output
  std::vector<CaseStep> before;
  std::vector<CaseStep> after;
  std::string code;      // error: "INVALID_ARGUMENT"
  std::string pattern;   // error: a regular expression found in the message
  uint32_t seed = 1;     // gradient
  double tolerance = 0;  // 0: what suits the dtype
  int line = 0;
};

/// Reads a whole file. Errors: kInvalidArgument, with the line.
Result<std::vector<CaseBlock>> ParseCaseFile(std::string_view text);

/// `text` without white space at both ends.
std::string_view Trim(std::string_view text);
/// Splits at white space outside of quotes, brackets and parentheses.
std::vector<std::string> SplitTokens(std::string_view text);

}  // namespace headrace::cases
