// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"

#include <memory>

namespace keywatch::pipeline {

/// The state that a watch begins with: what there is of it while it is being delivered.
///
/// The worker delivers it part by part before anything else: each part is a
/// commit of the state's revision s, a marker stands behind the last one. Only that moves the
/// position, from the start to s; from there on the watch is one `after` s, which joins as any.
/// So nothing is registered meanwhile, and commits go on in history.
///
/// 1. What is alive of the state are two parts: one is being delivered, the next one read.
/// 2. It is let go of with the marker, or when the watch ends: a store snapshot hangs on it.
struct StateStart {
    /// Null before the first part was read.
    std::shared_ptr<engine::StateStream> stream;
    /// The part that is being delivered, and one that has been, whose memory the next one may use.
    std::shared_ptr<const CommitRecord> delivering;
    std::shared_ptr<const CommitRecord> used;
    bool closed = false;  ///< the engine is
};

}  // namespace keywatch::pipeline
