// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"

#include <memory>

namespace keywatch::pipeline {

/// The state that a watch from a snapshot begins with, while it is being delivered.
///
/// The worker delivers it in parts, before anything else. Each part is a commit of the state's
/// revision s, and a marker follows the last one. Only the marker moves the position, from the
/// start to s. From there on the watch is like one that starts after s, and joins like any other.
/// Nothing is therefore registered meanwhile, and history records new commits as usual.
///
/// 1. At most two parts of the state are alive: one is being delivered, the next one is being read.
/// 2. The state is released with the marker, or when the watch ends, because it keeps a snapshot of
///    the store alive.
struct StateStart {
    /// Null until the state is opened, when the first part is read.
    std::shared_ptr<engine::StateStream> stream;
    /// The part that is being delivered, and one that has been delivered, whose memory the next
    /// part may reuse.
    std::shared_ptr<const CommitRecord> delivering;
    std::shared_ptr<const CommitRecord> used;
    bool closed = false;  ///< true if the engine is closed
};

}  // namespace keywatch::pipeline
