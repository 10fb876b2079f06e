// Condition: a condition variable, for waits that Notification does not cover. Rooms above name this type, not the standard one, so
// that what a thread waits on can be supplied from here.
#pragma once

#include <condition_variable>

namespace headrace {

using Condition = std::condition_variable;

}  // namespace headrace
