// SPDX-License-Identifier: BSL-1.0
#include "backup_thread.hpp"

#include "storage/backup/backup_directory.hpp"
#include "storage/backup/backup_stream.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/error.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace keywatch::embedded {

namespace {

[[noreturn]] void fail(boost::system::error_code error)
{
    throw boost::system::system_error(error);
}

}  // namespace

asio::awaitable<Revision> BackupThread::backup(std::shared_ptr<const void> owner,
                                               const std::unique_ptr<storage::Store>& store,
                                               engine::BackupPlace place)
{
    const std::shared_ptr<const void> keep = std::move(owner);
    async::WorkerThread& thread = this->thread();
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    Revision revision = 0;
    bool refused = false;
    auto start = [&](async::Waiter waiter) {
        if (auto slot = waiter.slot(); slot.is_connected()) {
            slot.assign([flag = cancelled](asio::cancellation_type) { flag->store(true); });
        }
        // The coroutine cannot be destroyed before the task has run or was dropped: the task owns
        // it. If its context ends first, that end waits until the task has noticed.
        auto done = std::make_shared<async::Waiter>(std::move(waiter));
        auto task = [this, &store, &place, &revision, cancelled, done] {
            const auto hold = done->hold();
            if (!hold) {
                return;
            }
            std::exception_ptr error;
            try {
                const auto is_cancelled = [&] { return *cancelled || done->is_ending(); };
                revision = make(store, place, is_cancelled);
            } catch (...) {
                error = std::current_exception();
            }
            done->complete(error);
        };
        if (!thread.post(std::move(task))) {
            refused = true;
            done->complete();
        }
    };
    co_await async::suspend(start);
    if (refused) {
        fail(make_error_code(Error::closed));
    }
    co_return revision;
}

async::WorkerThread& BackupThread::thread()
{
    if (refused_.load(std::memory_order_relaxed)) {
        fail(make_error_code(Error::closed));
    }
    const std::lock_guard lock(mutex_);
    if (!thread_) {
        try {
            thread_ = std::make_unique<async::WorkerThread>();
        } catch (const std::system_error& error) {
            fail(Error::backup_failed, std::string("a thread cannot be started: ") + error.what());
        }
    }
    return *thread_;
}

Revision BackupThread::make(const std::unique_ptr<storage::Store>& store,
                            const engine::BackupPlace& place,
                            const std::function<bool()>& is_cancelled) const
{
    const auto check = [&] { this->check(is_cancelled()); };
    check();
    if (place.stream != nullptr) {
        const auto backup = store->start_backup();
        storage::BackupStream target(*place.stream);
        backup->copy_to(target, check);
        return backup->identity().revision;
    }
    storage::BackupDirectory target(storage::backup_location(place.directory));
    const auto backup = store->start_backup();
    backup->copy_to(target, check);
    target.keep();
    return backup->identity().revision;
}

void BackupThread::check(bool cancelled) const
{
    if (refused_.load(std::memory_order_relaxed)) {
        fail(make_error_code(Error::closed));
    }
    if (cancelled) {
        fail(make_error_code(asio::error::operation_aborted));
    }
}

async::WorkerThread* BackupThread::started()
{
    const std::lock_guard lock(mutex_);
    return thread_.get();
}

void BackupThread::finish()
{
    if (async::WorkerThread* const thread = started()) {
        thread->finish();
    }
}

void BackupThread::stop()
{
    if (async::WorkerThread* const thread = started()) {
        thread->stop();
    }
}

}  // namespace keywatch::embedded
