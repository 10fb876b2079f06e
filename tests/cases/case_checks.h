// Runs one block of a *.case file.
#pragma once

#include "case_file.h"

namespace headrace::cases {

/// OK when the op does what the block says. Errors: what differs.
Status CheckCase(const CaseBlock& block);

}  // namespace headrace::cases
