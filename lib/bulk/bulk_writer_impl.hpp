// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bulk_buffer.hpp"

#include "async/waiter_list.hpp"
#include "engine/engine.hpp"
#include "values/mutex.hpp"

#include <keywatch/bulk_writer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>

namespace keywatch {

/// The implementation of a BulkWriter: writes that are being gathered, a queue of gathered writes,
/// and, while the queue is not empty, a coroutine that commits these one after another.
///
/// 1. Writes are committed in their order. After a failed commit, nothing is committed before the
///    error was taken.
/// 2. `done_` never exceeds `submitted_`, and only grows. A waiter waits for a value of it.
class BulkWriterImpl final : public std::enable_shared_from_this<BulkWriterImpl> {
public:
    /// Keeps `database` alive, which owns the engine.
    BulkWriterImpl(engine::Engine& engine, std::shared_ptr<const void> database,
                   BulkWriterOptions options);

    // Same as in BulkWriter.
    asio::awaitable<void> put(std::string_view bucket, std::string_view key, std::string_view value,
                              std::optional<std::chrono::milliseconds> ttl);
    asio::awaitable<void> erase(std::string_view bucket, std::string_view key);
    asio::awaitable<Revision> flush();
    void cancel();
    std::uint64_t committed() const noexcept
    {
        return committed_.load(std::memory_order_acquire);  // pairs with the addition in commit()
    }
    /// Drops the queue. A commit in progress continues.
    void drop() noexcept;

private:
    using SharedBuffer = std::shared_ptr<BulkBuffer>;
    class Use;

    void check(std::string_view bucket, std::string_view key, std::size_t bytes) const;
    asio::awaitable<void> added();
    static asio::awaitable<void> run_enqueue_batch(std::shared_ptr<BulkWriterImpl> self);
    static asio::awaitable<Revision> run_flush(std::shared_ptr<BulkWriterImpl> self);
    asio::awaitable<void> enqueue_batch();
    asio::awaitable<void> wait_for(std::uint64_t done);
    asio::awaitable<void> commit_queued();
    void enqueue();
    std::uint64_t submitted() const;
    void take_error();

    static asio::awaitable<void> commit_all(std::shared_ptr<BulkWriterImpl> self);
    asio::awaitable<void> commit(SharedBuffer writes);
    SharedBuffer next();
    void finished(std::exception_ptr error);
    class Committing;
    /// Called when the committing coroutine is destroyed, together with the context that it ran on.
    void committing_is_destroyed() noexcept;

    // Constant after construction, or thread-safe by itself.
    const std::shared_ptr<const void> database_;
    engine::Engine& engine_;
    const BulkWriterOptions options_;
    const std::size_t most_bytes_;
    const bool with_previous_;
    const std::shared_ptr<async::WaiterList> waiting_ = std::make_shared<async::WaiterList>();
    std::atomic<bool> in_use_{false};
    std::atomic<bool> failed_{false};  ///< relaxed: the error itself is guarded by `mutex_`
    std::atomic<std::uint64_t> committed_{0};

    // Used only by the caller.
    SharedBuffer buffer_ = std::make_shared<BulkBuffer>();

    mutable Mutex mutex_;
    std::deque<SharedBuffer> queue_ KEYWATCH_GUARDED_BY(mutex_);
    bool committing_ KEYWATCH_GUARDED_BY(mutex_) = false;
    std::uint64_t submitted_ KEYWATCH_GUARDED_BY(mutex_) = 0;
    std::uint64_t done_ KEYWATCH_GUARDED_BY(mutex_) = 0;
    Revision revision_ KEYWATCH_GUARDED_BY(mutex_) = 0;
    std::exception_ptr error_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch
