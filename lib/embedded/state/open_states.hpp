// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "state_reader.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace keywatch::embedded {

class OpenState;

/// The states that are being read. They are released together, so that none holds the store when it
/// is closed.
///
/// Thread safety: all members may be called from any thread.
class OpenStates {
public:
    /// Releases all snapshots. Precondition: no state is being read and none will be opened.
    void close() noexcept;

private:
    friend class OpenState;

    std::mutex mutex_;
    std::set<OpenState*> states_;
};

/// A state that is being read. Created and read while the store exists. May be destroyed at any
/// time, by any thread.
class OpenState {
public:
    template <class... Arguments>
    explicit OpenState(std::shared_ptr<OpenStates> states, const Arguments&... arguments)
        : states_(std::move(states)), reader_(std::in_place, arguments...)
    {
        const std::lock_guard lock(states_->mutex_);
        states_->states_.insert(this);
    }
    OpenState(const OpenState&) = delete;
    OpenState& operator=(const OpenState&) = delete;
    ~OpenState()
    {
        const std::lock_guard lock(states_->mutex_);
        states_->states_.erase(this);
        reader_.reset();
    }

    /// Returns the reader. It may be used by one thread at a time.
    StateReader& reader() { return *reader_; }

private:
    friend class OpenStates;

    const std::shared_ptr<OpenStates> states_;
    std::optional<StateReader> reader_;
};

inline void OpenStates::close() noexcept
{
    const std::lock_guard lock(mutex_);
    for (OpenState* const each : states_) {
        each->reader_.reset();
    }
}

}  // namespace keywatch::embedded
