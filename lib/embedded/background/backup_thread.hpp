// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter.hpp"
#include "async/worker_thread.hpp"
#include "engine/engine.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace keywatch::embedded {

namespace asio = boost::asio;

/// A maker of backups, one after another, on a thread of its own, so that neither commits nor
/// watchers that catch up wait for a backup. The first backup starts the thread.
///
/// Thread safety: all members may be called from any thread.
class BackupThread {
public:
    /// Copies the store on the thread. Returns the revision of the copy: see Database::backup.
    /// Keeps the owner of this object and of the store alive. The owner destroys the store only
    /// after finish() or stop().
    asio::awaitable<Revision> backup(std::shared_ptr<const void> owner,
                                     const std::unique_ptr<storage::Store>& store,
                                     engine::BackupPlace place);

    /// Makes all backups fail with `closed` from now on. Backups in progress fail when they next
    /// check.
    void refuse() noexcept { refused_.store(true, std::memory_order_relaxed); }
    /// Waits until no backup is in progress. Precondition: refuse() was called.
    void finish();
    /// Same as `finish`, but drops the backups that have not started, whose waiters are destroyed.
    void stop();

private:
    async::WorkerThread& thread();
    async::WorkerThread* started();
    Revision make(const std::unique_ptr<storage::Store>& store, const engine::BackupPlace& place,
                  const std::function<bool()>& is_cancelled) const;
    void check(bool cancelled) const;

    /// Relaxed: a flag alone. What follows refuse() is ordered by the mutexes of this class and of
    /// the thread.
    std::atomic<bool> refused_{false};
    std::mutex mutex_;
    /// Never replaced or destroyed once it is set.
    std::unique_ptr<async::WorkerThread> thread_;
};

}  // namespace keywatch::embedded
