// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

namespace keywatch::embedded {

/// A timer that calls a function periodically on a thread of the database, as long as there is
/// something to look at. So nothing waits for an executor of the program that does not run.
///
/// Thread safety: all members may be called from any thread.
class Lookout final : public std::enable_shared_from_this<Lookout>,
                      private async::Undelivered::Entry {
public:
    static constexpr std::chrono::milliseconds period{1};

    /// `owner` owns the thread. `look` returns true if it must be called again.
    Lookout(std::weak_ptr<const void> owner, async::WorkerThread& thread,
            std::function<bool()> look);

    /// Starts the calls, because there is something to look at.
    void arm() noexcept;

private:
    bool deliver() noexcept override;
    bool try_arm() noexcept;
    void on_timer();

    const std::weak_ptr<const void> owner_;
    async::WorkerThread& thread_;
    const std::function<bool()> look_;
    std::atomic<bool> armed_{false};
    std::shared_ptr<Lookout> keep_;  ///< keeps this alive while there is no memory to arm it
};

}  // namespace keywatch::embedded
