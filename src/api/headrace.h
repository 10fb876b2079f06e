// The C++ API of Headrace, all of it. Programs write `namespace hr = headrace::api;`.
//
// Build a graph from a Scope, open a Session on this process or on a cluster, run. See examples/seed.cc.
#pragma once

#include "api/array.h"
#include "api/cluster.h"
#include "api/control_flow.h"
#include "api/data.h"
#include "api/gradients.h"
#include "api/initializer.h"
#include "api/math.h"
#include "api/nn.h"
#include "api/output.h"
#include "api/parse_example.h"
#include "api/scope.h"
#include "api/session.h"
#include "api/summary.h"
#include "api/train.h"
#include "api/types.h"
#include "api/variable.h"
