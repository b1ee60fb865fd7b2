// SPDX-License-Identifier: BSL-1.0
#include "bulk_writer_impl.hpp"

#include "async/spawn.hpp"
#include "async/waiter.hpp"
#include "structures/stamp.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

constexpr std::size_t max_name_bytes = 65535;

asio::awaitable<void> nothing()
{
    co_return;
}

}  // namespace

/// A guard for one call that may be suspended. Throws if another call is still in progress.
class BulkWriterImpl::Use {
public:
    explicit Use(BulkWriterImpl& writer) : writer_(writer)
    {
        // Pairs with the store in ~Use, on which the previous call may have ended.
        if (writer_.in_use_.exchange(true, std::memory_order_acquire)) {
            fail(Error::bulk_writer_in_use);
        }
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use()
    {
        // Pairs with the exchange in Use and the load in check(): the next call sees the buffer.
        writer_.in_use_.store(false, std::memory_order_release);
    }

private:
    BulkWriterImpl& writer_;
};

/// The engine counts about twice as many bytes for a write as this class does, because of its
/// message. The gathered writes may reach twice `most_bytes_`.
BulkWriterImpl::BulkWriterImpl(engine::Engine& engine, std::shared_ptr<const void> database,
                               BulkWriterOptions options)
    : database_(std::move(database)),
      engine_(engine),
      options_(std::move(options)),
      most_bytes_(std::max<std::size_t>(
          std::min(options_.transaction_bytes, engine_.max_transaction_bytes() / 5), 1)),
      with_previous_(engine_.records_previous())
{
}

asio::awaitable<void> BulkWriterImpl::put(std::string_view bucket, std::string_view key,
                                          std::string_view value,
                                          std::optional<std::chrono::milliseconds> ttl)
{
    check(bucket, key, key.size() + value.size());
    if (ttl) {
        structures::check_ttl(*ttl);
    }
    buffer_->put(bucket, key, value, ttl);
    return added();
}

asio::awaitable<void> BulkWriterImpl::erase(std::string_view bucket, std::string_view key)
{
    check(bucket, key, key.size());
    buffer_->erase(bucket, key);
    return added();
}

void BulkWriterImpl::check(std::string_view bucket, std::string_view key, std::size_t bytes) const
{
    if (in_use_.load(std::memory_order_acquire)) {  // pairs with the store in ~Use
        fail(Error::bulk_writer_in_use);
    }
    if (failed_.load(std::memory_order_relaxed)) {
        const MutexLock lock(mutex_);
        std::rethrow_exception(error_);
    }
    if (key.empty()) {
        fail(Error::empty_key);
    }
    if (bucket.empty() || bucket.size() > max_name_bytes) {
        fail(Error::invalid_name);
    }
    if (bytes > engine_.max_transaction_bytes()) {
        fail(Error::transaction_too_large);
    }
}

asio::awaitable<void> BulkWriterImpl::added()
{
    return buffer_->bytes() < most_bytes_ ? nothing() : run_enqueue_batch(shared_from_this());
}

asio::awaitable<void> BulkWriterImpl::run_enqueue_batch(std::shared_ptr<BulkWriterImpl> self)
{
    const Use use(*self);
    co_await self->enqueue_batch();
}

/// Waits until fewer transactions are in flight, then adds what was gathered to them.
asio::awaitable<void> BulkWriterImpl::enqueue_batch()
{
    co_await commit_queued();  // if there was no memory for that before
    if (buffer_->empty()) {
        co_return;
    }
    const std::uint64_t next = submitted() + 1;
    if (next > options_.in_flight) {
        co_await wait_for(next - options_.in_flight);
    }
    enqueue();
    co_await commit_queued();
}

/// Starts a coroutine that commits the queue, unless one is running.
asio::awaitable<void> BulkWriterImpl::commit_queued()
{
    {
        const MutexLock lock(mutex_);
        if (queue_.empty() || std::exchange(committing_, true)) {
            co_return;
        }
    }
    try {
        async::spawn(co_await asio::this_coro::executor, commit_all(shared_from_this()),
                     [](std::exception_ptr) {});
    } catch (...) {
        const MutexLock lock(mutex_);
        committing_ = false;
        throw;
    }
}

std::uint64_t BulkWriterImpl::submitted() const
{
    const MutexLock lock(mutex_);
    return submitted_;
}

/// Queues what was gathered. After an error it stays in place, for flush() to drop it.
void BulkWriterImpl::enqueue()
{
    auto fresh = std::make_shared<BulkBuffer>();
    const MutexLock lock(mutex_);
    if (error_) {
        return;
    }
    queue_.push_back(buffer_);
    buffer_ = std::move(fresh);
    ++submitted_;
}

asio::awaitable<void> BulkWriterImpl::wait_for(std::uint64_t done)
{
    {
        const MutexLock lock(mutex_);
        if (done_ >= done) {
            co_return;
        }
    }
    auto wait = [&](async::Waiter waiter) { waiting_->add(std::move(waiter), done); };
    co_await async::suspend(wait);
}

asio::awaitable<Revision> BulkWriterImpl::flush()
{
    return run_flush(shared_from_this());
}

asio::awaitable<Revision> BulkWriterImpl::run_flush(std::shared_ptr<BulkWriterImpl> self)
{
    const Use use(*self);
    co_await self->enqueue_batch();
    co_await self->wait_for(self->submitted());
    self->take_error();
    const MutexLock lock(self->mutex_);
    co_return self->revision_;
}

void BulkWriterImpl::take_error()
{
    std::exception_ptr error;
    {
        const MutexLock lock(mutex_);
        error = std::exchange(error_, nullptr);
        failed_.store(false, std::memory_order_relaxed);
    }
    if (error) {
        *buffer_ = BulkBuffer();
        std::rethrow_exception(error);
    }
}

void BulkWriterImpl::cancel()
{
    const Use use(*this);
    drop();
    *buffer_ = BulkBuffer();
    const MutexLock lock(mutex_);
    error_ = nullptr;
    failed_.store(false, std::memory_order_relaxed);
}

void BulkWriterImpl::drop() noexcept
{
    const MutexLock lock(mutex_);
    submitted_ -= queue_.size();
    queue_.clear();
}

/// The frame of a committing coroutine. If it is destroyed, the waiters must be notified.
class BulkWriterImpl::Committing {
public:
    explicit Committing(BulkWriterImpl& writer) : writer_(&writer) {}
    Committing(const Committing&) = delete;
    Committing& operator=(const Committing&) = delete;
    ~Committing()
    {
        if (writer_ != nullptr) {
            writer_->committing_is_destroyed();
        }
    }

    void ended() noexcept { writer_ = nullptr; }

private:
    BulkWriterImpl* writer_;
};

void BulkWriterImpl::committing_is_destroyed() noexcept
{
    finished(std::make_exception_ptr(
        boost::system::system_error(make_error_code(asio::error::operation_aborted))));
    const MutexLock lock(mutex_);
    committing_ = false;
}

/// Ends when the queue is empty. The next call that queues something starts another coroutine.
asio::awaitable<void> BulkWriterImpl::commit_all(std::shared_ptr<BulkWriterImpl> self)
{
    Committing committing(*self);
    while (const SharedBuffer writes = self->next()) {
        std::exception_ptr error;
        try {
            co_await self->commit(writes);
        } catch (...) {
            error = std::current_exception();
        }
        self->finished(std::move(error));
    }
    committing.ended();
}

asio::awaitable<void> BulkWriterImpl::commit(SharedBuffer writes)
{
    for (std::size_t first = 0; first < writes->size();) {
        std::size_t count = 0;
        const engine::TransactionFunction transaction = [&](Transaction& tx) {
            if (!options_.origin.empty()) {
                tx.set_origin(options_.origin);
            }
            count = writes->apply(tx, first, {most_bytes_, with_previous_});
        };
        const Revision revision = co_await engine_.commit(transaction);
        first += count;
        const MutexLock lock(mutex_);
        revision_ = revision;
        // Pairs with the load in committed(), after which the commits can be read.
        committed_.fetch_add(count, std::memory_order_release);
    }
}

BulkWriterImpl::SharedBuffer BulkWriterImpl::next()
{
    const MutexLock lock(mutex_);
    if (queue_.empty()) {
        committing_ = false;
        return nullptr;
    }
    SharedBuffer writes = std::move(queue_.front());
    queue_.pop_front();
    return writes;
}

void BulkWriterImpl::finished(std::exception_ptr error)
{
    std::uint64_t done = 0;
    {
        const MutexLock lock(mutex_);
        ++done_;
        if (error) {
            error_ = std::move(error);
            failed_.store(true, std::memory_order_relaxed);
            done_ += queue_.size();
            queue_.clear();
        }
        done = done_;
    }
    waiting_->reach(done);
}

}  // namespace keywatch
