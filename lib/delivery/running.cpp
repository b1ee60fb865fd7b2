// SPDX-License-Identifier: BSL-1.0
// Runs and ends a watch.
#include "watcher_impl.hpp"

#include "async/post.hpp"
#include "async/small_strand.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace keywatch::delivery {

/// A local variable of run(). If it is destroyed before the watch has ended, then the context of
/// run() is being destroyed.
class WatcherImpl::RunFrame {
public:
    explicit RunFrame(WatcherImpl& watch) : watch_(watch) {}
    RunFrame(const RunFrame&) = delete;
    RunFrame& operator=(const RunFrame&) = delete;
    ~RunFrame() { watch_.run_is_destroyed(); }

private:
    WatcherImpl& watch_;
};

asio::awaitable<WatchEnd> WatcherImpl::run(std::shared_ptr<WatcherImpl> self)
{
    // Cancellation ends the watch with a value, so no suspension in here may throw it.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    self->begin();
    const RunFrame frame(*self);
    if (cancelled != asio::cancellation_type::none) {
        self->request_cancel();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    std::exception_ptr error;
    try {
        co_await async::suspend(
            [&](async::Waiter waiter) { self->start(std::move(waiter), executor); });
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (error) {
        std::rethrow_exception(error);
    }
    co_return WatchEnd{*self->reason_, self->position()};
}

void WatcherImpl::begin()
{
    {
        const std::lock_guard lock(mutex());
        if (state_ != State::created) {
            // The database may have been closed before the watch was run.
            keywatch::fail(ran_ ? Error::already_running : Error::closed);
        }
        if (!context_.pipeline->shutdown().has_begun()) {
            state_ = State::running;
            ran_ = true;
            return;
        }
    }
    database_closed();
    keywatch::fail(Error::closed);
}

void WatcherImpl::database_closed()
{
    const std::exception_ptr error = exception_of(Error::closed);
    {
        const std::lock_guard lock(mutex());
        if (state_ != State::created) {
            return;
        }
        state_ = State::ended;
        error_ = error;
    }
    worker_.release();
    context_.waiters.set_ended(error);
}

void WatcherImpl::start(async::Waiter waiter, const asio::any_io_executor& executor)
{
    if (auto slot = waiter.slot(); slot.is_connected()) {
        slot.assign([weak = std::weak_ptr<WatcherImpl>(shared())](asio::cancellation_type type) {
            const auto self = weak.lock();
            if (self &&
                (type & asio::cancellation_type::terminal) != asio::cancellation_type::none) {
                self->request_cancel();
            }
        });
    }
    const bool foreign = waiter.life() != context_.pipeline->life();
    {
        asio::any_io_executor strand = async::SmallStrand::on(executor);
        const std::lock_guard lock(mutex());
        life_ = foreign ? waiter.life() : nullptr;
        run_waiter_ = std::move(waiter);
        strand_ = std::move(strand);
    }
    context_.pipeline->add_running(shared_from_this());
}

void WatcherImpl::use_executor(const asio::any_io_executor& executor)
{
    const std::lock_guard lock(mutex());
    strand_ = async::SmallStrand::on(executor);
}

void WatcherImpl::added()
{
    if (context_.pace) {
        context_.pace->delivered(Pace::Clock::now());
    }
    context_.waiters.set_ready();
    start_worker();
}

void WatcherImpl::rejected(std::exception_ptr error)
{
    if (const auto hold = hold_context()) {
        reject(std::move(error));
    }
}

void WatcherImpl::reject(std::exception_ptr error)
{
    context_.fsm.abandon();
    finish(std::nullopt, std::move(error));
}

void WatcherImpl::post_run()
{
    // The mutex is not needed: only a watch that runs is woken, and it does not end before it was
    // woken.
    const auto hold = hold_context();
    if (!hold || !strand_) {
        return;  // its context has ended
    }
    // A plain callback needs no strand, because the inbox lets only one worker at a time be
    // started.
    const bool direct = sink().needs_no_strand();
    async::post(direct ? run_waiter_.executor() : strand_,
                [self = shared()] { self->worker_.run(); });
}

std::optional<async::ContextLife::Hold> WatcherImpl::hold_context() const
{
    std::optional<async::ContextLife::Hold> hold(std::in_place, life_);
    if (life_ && !*hold) {
        hold.reset();
    }
    return hold;
}

void WatcherImpl::run_is_destroyed() noexcept
{
    asio::any_io_executor strand;  // released after the lock
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            return;
        }
        state_ = State::ended;
        strand = std::exchange(strand_, asio::any_io_executor());
    }
    errands_.run(Errands::leave);
    context_.waiters.set_ended(nullptr);
}

void WatcherImpl::finish(std::optional<EndReason> reason, std::exception_ptr error)
{
    worker_.release();
    async::Waiter run_waiter;
    {
        const std::lock_guard lock(mutex());
        state_ = State::ended;
        reason_ = reason;
        error_ = error;
        strand_ = asio::any_io_executor();
        run_waiter = std::move(run_waiter_);
    }
    errands_.run(Errands::leave);
    tell_end(std::move(run_waiter), std::move(error));
}

void WatcherImpl::context_shutdown() noexcept
{
    const auto hold = hold_context();
    if (!hold) {
        return;  // its own context has ended too
    }
    // Waiters on the context that ends are destroyed with it, the remaining ones are completed.
    const std::exception_ptr error = exception_of(Error::closed);
    async::Waiter run_waiter;
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            return;
        }
        state_ = State::ended;
        error_ = error;
        strand_ = asio::any_io_executor();
        run_waiter = std::move(run_waiter_);
    }
    tell_end(std::move(run_waiter), error);
}

void WatcherImpl::tell_end(async::Waiter run_waiter, std::exception_ptr error) noexcept
{
    sink().ended();
    context_.waiters.set_ended(error);
    if (run_waiter) {
        run_waiter.complete(std::move(error));
    }
}

}  // namespace keywatch::delivery
