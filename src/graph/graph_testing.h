// A few ops for the tests of this room, which must not know the real ones.
#pragma once

namespace headrace {

/// Adds the test's ops to the global registry once: Const, Identity, Add, Concat and others, without kernels.
void RegisterGraphTestOps();

}  // namespace headrace
