// headrace: one program, several commands.
#include <CLI/CLI.hpp>

#include "base/version.h"
#include "cli/command.h"

int main(int argc, char** argv) {
  CLI::App app("Headrace: distributed training on TensorFlow's graphs, wire and files", "headrace");
  app.set_version_flag("--version", std::string("headrace ") + headrace::kVersion);
  app.require_subcommand(1);
  headrace::CommandRun run;
  headrace::AddServerCommand(app, &run);
  headrace::AddLocalCommand(app, &run);
  headrace::AddConvertCommand(app, &run);
  CLI11_PARSE(app, argc, argv);
  return run();
}
