// Supervisor: runs the programs of a local cluster until the workers are done, and leaves none behind.
#pragma once

#include <chrono>
#include <vector>

#include "cli/child.h"

namespace headrace {

struct SupervisedProgram {
  ChildOptions child;
  bool is_worker = false;  // the others are ended when all workers are done
};

/// Starts all, passes their output on, and waits for the workers; then asks the others to end (SIGTERM) and kills what is left after
/// `grace`. SIGTERM and SIGINT to this process go to the workers, and so to the others once the workers are done or `grace` has
/// passed; a second signal kills all at once. Returns the worst exit code: of the workers, and of the others where they
/// ended without being asked. Call it from the main thread, before there are others.
int Supervise(const std::vector<SupervisedProgram>& programs, std::chrono::milliseconds grace);

}  // namespace headrace
