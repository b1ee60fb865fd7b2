// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/undelivered.hpp"

#include <cstdint>
#include <memory>

namespace keywatch::pipeline {

class WatcherCore;

/// What has to be posted for a watch and must not be lost: if there is no memory for it, it is
/// posted as soon as there is.
///
/// Thread safety: all members, from any thread.
class Errands final : private async::Undelivered::Entry {
public:
    enum Kind : std::uint8_t {
        wake = 1,    ///< its worker
        cancel = 2,  ///< what its worker waits for
        leave = 4,   ///< the pipeline
    };

    explicit Errands(WatcherCore& watcher) : watcher_(watcher) {}

    void run(Kind kind) noexcept;

private:
    bool deliver() noexcept override;
    /// Returns which of them could not be posted.
    std::uint8_t post(std::uint8_t kinds) noexcept;

    WatcherCore& watcher_;
    // Of the watch's mutex.
    std::uint8_t waiting_ = 0;
    bool listed_ = false;
    std::shared_ptr<WatcherCore> keep_;
};

}  // namespace keywatch::pipeline
