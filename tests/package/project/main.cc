#include <headrace/headrace.h>

#include <iostream>

int main() {
  headrace::Status status = headrace::NotFound("a program outside of the tree");
  std::cout << status.ToString() << "\n";
  return status.code() == headrace::Code::kNotFound ? 0 : 1;
}
