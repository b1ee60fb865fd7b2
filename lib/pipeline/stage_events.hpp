// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watcher_interface.hpp"

#include <exception>

namespace keywatch::pipeline {

/// Events that the parts of a pipeline report to it. Called on the strand.
class StageEvents {
public:
    /// A stage has ended with this error, so no commit is routed any more.
    virtual void stage_failed(std::exception_ptr error) = 0;
    /// A watch that has ended is no longer in the index.
    virtual void removed(const SharedWatcher& watcher) noexcept = 0;

protected:
    StageEvents() = default;
    StageEvents(const StageEvents&) = default;
    StageEvents& operator=(const StageEvents&) = default;
    ~StageEvents() = default;
};

}  // namespace keywatch::pipeline
