// CallerPool: threads for calls that may block for as long as they like, and on each other: functions of the program that the
// engine is a part of.
#pragma once

#include "sync/thread_pool.h"

namespace headrace {

/// The process's own. Each task gets a thread at once: one that is idle, else a new one. Never ended.
HR_EXPORT ThreadPool& CallerPool();

}  // namespace headrace
