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

namespace keywatch::engine {

/// Makes backups, one after the other. On a thread of its own, so that neither commits nor watchers
/// that catch up wait for one; it is started by the first backup.
///
/// Thread safety: all members, from any thread.
class BackupThread {
public:
    /// Copies the store on the thread. Gives the revision; see Database::backup. Keeps the owner of
    /// this and of the store, who lets the store go only after finish() or stop().
    asio::awaitable<Revision> backup(std::shared_ptr<const void> owner,
                                     const std::unique_ptr<storage::Store>& store,
                                     BackupPlace place);

    /// From now on backups fail with `closed`, those under way too, as soon as they look.
    void refuse() noexcept { refused_.store(true, std::memory_order_release); }
    /// After refuse(): waits until none is under way.
    void finish();
    /// The same when nothing is to be completed any more: who still waits is destroyed.
    void stop();

private:
    async::WorkerThread& thread();
    async::WorkerThread* started();
    Revision make(const std::unique_ptr<storage::Store>& store, const BackupPlace& place,
                  const std::function<bool()>& is_cancelled) const;
    void check(bool cancelled) const;

    std::atomic<bool> refused_{false};
    std::mutex mutex_;
    /// Not exchanged or let go of once it is there.
    std::unique_ptr<async::WorkerThread> thread_;
};

}  // namespace keywatch::engine
