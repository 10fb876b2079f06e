#include "autodiff/function_gradient.h"

#include <algorithm>
#include <array>

#include "autodiff/call_gradient.h"

namespace headrace {

bool CallsFunctions(const Node& node) {
  static constexpr std::array<std::string_view, 8> kOps = {
      "PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "Case", "StatelessCase",
      "While",           "StatelessWhile"};
  return std::ranges::find(kOps, node.op()) != kOps.end();
}

Status AddFunctionGradient(GradientContext& context, Node* node, const GradientScope& scope) {
  const bool is_loop = node->op().ends_with("While");
  return is_loop ? AddWhileGradient(context, node, scope) : AddCallGradient(context, node, scope);
}

}  // namespace headrace
