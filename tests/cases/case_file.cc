#include "case_file.h"

#include "tensor/dtype.h"

namespace headrace::cases {
namespace {

bool TakeWord(std::string_view* text, std::string_view word) {
  if (!text->starts_with(word)) return false;
  const std::string_view rest = text->substr(word.size());
  if (!rest.empty() && rest.front() != ' ') return false;
  *text = Trim(rest);
  return true;
}

// Splits "a; b" at semicolons outside of quotes.
std::vector<std::string> SplitArgs(std::string_view text) {
  std::vector<std::string> args;
  std::string current;
  bool quoted = false;
  for (char c : text) {
    if (c == '\'') quoted = !quoted;
    if (c == ';' && !quoted) {
      args.emplace_back(Trim(current));
      current.clear();
    } else {
      current += c;
    }
  }
  if (!Trim(current).empty()) args.emplace_back(Trim(current));
  return args;
}

// OP(arg; arg) attrs [-> tensor]
Status ParseCall(std::string_view text, CaseStep* step) {
  const size_t open = text.find('(');
  const size_t close = text.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return InvalidArgument("expected OP(...)");
  step->op = std::string(Trim(text.substr(0, open)));
  step->args = SplitArgs(text.substr(open + 1, close - open - 1));
  std::string_view rest = Trim(text.substr(close + 1));
  if (const size_t arrow = rest.find("->"); arrow != std::string_view::npos) {
    step->expected = std::string(Trim(rest.substr(arrow + 2)));
    rest = Trim(rest.substr(0, arrow));
  }
  step->attrs = std::string(rest);
  return OkStatus();
}

// title: CODE /regex/
Status ParseErrorHead(std::string_view text, CaseBlock* block) {
  const size_t open = text.find(" /");
  if (open == std::string_view::npos || text.back() != '/')
    return InvalidArgument("expected `error title: CODE /regex/`");
  block->pattern = std::string(text.substr(open + 2, text.size() - open - 3));
  const std::string_view head = Trim(text.substr(0, open));
  const size_t colon = head.rfind(':');
  if (colon == std::string_view::npos) return InvalidArgument("expected `error title: CODE /regex/`");
  block->title = std::string(head.substr(0, colon));
  block->code = std::string(Trim(head.substr(colon + 1)));
  return OkStatus();
}

// Either a title, or the inputs' types: `f32[3,5] f32[5] [in LOW HIGH]`; both may end in `seed N`.
Status ParseGradientHead(std::string_view text, CaseBlock* block) {
  block->title = std::string(text);
  std::vector<std::string> tokens = SplitTokens(text);
  if (tokens.size() >= 2 && tokens[tokens.size() - 2] == "seed") {
    int64_t seed = 0;
    if (!ParseInt64(tokens.back(), &seed)) return InvalidArgument("bad seed ", tokens.back());
    block->seed = static_cast<uint32_t>(seed);
    tokens.resize(tokens.size() - 2);
  }
  std::string range;
  if (tokens.size() >= 3 && tokens[tokens.size() - 3] == "in") {
    range = StrCat("(", tokens[tokens.size() - 2], ",", tokens.back(), ")");
    tokens.resize(tokens.size() - 3);
  }
  const size_t bracket = tokens.empty() ? std::string::npos : tokens[0].find('[');
  if (bracket == std::string::npos || ParseDType(tokens[0].substr(0, bracket)) == DType::kInvalid) return OkStatus();
  for (const std::string& type : tokens) {
    block->inputs.push_back({.name = "", .text = StrCat(type, " = random", range), .line = block->line});
  }
  return OkStatus();
}

class Reader {
 public:
  Result<std::vector<CaseBlock>> Read(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view whole = text.substr(0, end);
      const std::string_view line = Trim(whole);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      ++line_;
      if (line.empty() || line.front() == '#') continue;
      if (whole.front() != ' ') in_block_ = false;  // a block's lines are indented
      const Status status = Line(line);
      if (!status.ok()) return InvalidArgument("line ", line_, ": ", status.message(), ": ", line);
    }
    return std::move(blocks_);
  }

 private:
  CaseBlock& Begin(CaseBlock::Kind kind) {
    in_block_ = true;
    CaseBlock block;
    block.kind = kind;
    block.op = op_;
    block.attrs = attrs_;
    block.line = line_;
    return blocks_.emplace_back(std::move(block));
  }

  Status Line(std::string_view line) {
    if (TakeWord(&line, "op")) {
      op_ = std::string(line);
      attrs_.clear();
      return OkStatus();
    }
    if (op_.empty()) return InvalidArgument("a file begins with `op NAME`");
    if (TakeWord(&line, "attrs")) {
      (in_block_ ? blocks_.back().attrs : attrs_) = std::string(line);
      return OkStatus();
    }
    if (TakeWord(&line, "run")) return Begin(CaseBlock::Kind::kRun).title = std::string(line), OkStatus();
    if (TakeWord(&line, "error")) return ParseErrorHead(line, &Begin(CaseBlock::Kind::kError));
    if (TakeWord(&line, "gradient")) return ParseGradientHead(line, &Begin(CaseBlock::Kind::kGradient));
    if (!in_block_) return InvalidArgument("expected run, error or gradient");
    return BlockLine(line);
  }

  Status BlockLine(std::string_view line) {
    CaseBlock& block = blocks_.back();
    if (TakeWord(&line, "tolerance")) {
      return ParseDouble(line, &block.tolerance) ? OkStatus() : InvalidArgument("expected a number");
    }
    if (TakeWord(&line, "->")) return block.expected.emplace_back(line), OkStatus();
    if (TakeWord(&line, "let")) {
      const size_t equals = line.find('=');
      if (equals == std::string_view::npos) return InvalidArgument("expected `let NAME = OP(...)`");
      CaseStep& step =
          block.before.emplace_back(CaseStep{.result = std::string(Trim(line.substr(0, equals))), .line = line_});
      return ParseCall(line.substr(equals + 1), &step);
    }
    if (TakeWord(&line, "do")) return ParseCall(line, &block.before.emplace_back(CaseStep{.line = line_}));
    if (TakeWord(&line, "then")) return ParseCall(line, &block.after.emplace_back(CaseStep{.line = line_}));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return InvalidArgument("expected `name: tensor`");
    block.inputs.push_back({.name = std::string(Trim(line.substr(0, colon))),
                            .text = std::string(Trim(line.substr(colon + 1))),
                            .line = line_});
    return OkStatus();
  }

  std::string op_;
  std::string attrs_;
  bool in_block_ = false;
  int line_ = 0;
  std::vector<CaseBlock> blocks_;
};

}  // namespace

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> SplitTokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string current;
  bool quoted = false;
  int depth = 0;
  for (char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted) depth += (c == '[' || c == '(') - (c == ']' || c == ')');
    if (c == ' ' && !quoted && depth == 0) {
      if (!current.empty()) tokens.push_back(std::move(current));
      current.clear();
    } else {
      current += c;
    }
  }
  if (!current.empty()) tokens.push_back(std::move(current));
  return tokens;
}

Result<std::vector<CaseBlock>> ParseCaseFile(std::string_view text) { return Reader().Read(text); }

}  // namespace headrace::cases
