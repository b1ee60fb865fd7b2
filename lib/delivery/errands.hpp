// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/undelivered.hpp"

#include <cstdint>
#include <memory>

namespace keywatch::delivery {

class WatcherImpl;

/// The posts of a watch that must not be lost. If there is no memory for a post, it is repeated as
/// soon as there is.
///
/// Thread safety: all members may be called from any thread.
class Errands final : private async::Undelivered::Entry {
public:
    enum Kind : std::uint8_t {
        wake = 1,    ///< starts its worker
        cancel = 2,  ///< cancels what its worker waits for
        leave = 4,   ///< removes it from the pipeline
    };

    explicit Errands(WatcherImpl& watcher) : watcher_(watcher) {}

    /// Posts an errand, at once or as soon as there is memory for it.
    void run(Kind kind) noexcept;

private:
    bool deliver() noexcept override;
    /// Posts these errands. Returns those that could not be posted.
    std::uint8_t post(std::uint8_t kinds) noexcept;

    WatcherImpl& watcher_;
    // Guarded by the watch's mutex.
    std::uint8_t waiting_ = 0;
    bool listed_ = false;
    std::shared_ptr<WatcherImpl> keep_;
};

}  // namespace keywatch::delivery
