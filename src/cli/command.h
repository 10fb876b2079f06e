// The commands of `headrace`. One file each: it declares its options, and runs.
#pragma once

#include <functional>

namespace CLI {
class App;
}  // namespace CLI

namespace headrace {

/// What the chosen command will do; returns the process's exit code.
using CommandRun = std::function<int()>;

/// Each adds a command to `app`; when that is the one chosen, `*run` is set while the arguments are parsed.
void AddServerCommand(CLI::App& app, CommandRun* run);
void AddLocalCommand(CLI::App& app, CommandRun* run);
void AddConvertCommand(CLI::App& app, CommandRun* run);

}  // namespace headrace
