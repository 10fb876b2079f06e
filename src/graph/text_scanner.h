// TextScanner: reads the small grammars of this room (signatures, graphs in text form) from left to right.
#pragma once

#include <string>
#include <string_view>

#include "graph/attr_value.h"

namespace headrace {

/// A position in a text. Blanks before what is asked for are skipped.
class TextScanner {
 public:
  explicit TextScanner(std::string_view text) : text_(text) {}

  /// Takes `token` if it comes next.
  bool Take(std::string_view token);
  /// True at the end of the text.
  bool AtEnd();
  /// Takes characters up to the first that is in `stops`, outside quotes; empty when there are none.
  std::string_view TakeUntil(std::string_view stops);
  /// Takes letters, digits, '_' and what `more` lists; empty when there are none.
  std::string_view TakeWord(std::string_view more = "");
  /// Errors: kInvalidArgument unless `token` comes next.
  Status Expect(std::string_view token);
  /// kInvalidArgument that quotes the text that could not be read.
  Status Error(std::string_view wanted) const;

  /// Takes 'text'. Errors: kInvalidArgument.
  Result<std::string> TakeQuoted();
  /// Takes a value of an attribute of this kind ("int", "list(type)", ...). Errors: kInvalidArgument.
  Result<AttrValue> TakeAttrValue(std::string_view kind);

 private:
  void SkipBlanks();
  template <typename T, typename TakeItem> Result<AttrValue> TakeList(TakeItem take_item);
  Result<AttrValue> TakeListOf(std::string_view item_kind);
  Result<bool> TakeBool();
  Result<int64_t> TakeInt();
  Result<float> TakeFloat();
  Result<DType> TakeType();
  Result<PartialShape> TakeShape();
  Result<FunctionRef> TakeFunction();
  Result<Tensor> TakeTensor();

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace headrace
