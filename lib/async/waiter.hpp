// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_life.hpp"
#include "context_service.hpp"
#include "post.hpp"
#include "undelivered.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace keywatch::async {

namespace asio = boost::asio;

/// A suspended coroutine. `suspend` passes it to a function that arranges for `complete` to be
/// called later.
///
/// While it exists, the coroutine's executor has outstanding work. Destroying it without completing
/// it destroys the coroutine, which is meant only for the end of an execution context. While
/// `suspend` passes it to `store`, there is an exception: if `store` throws and that destroys the
/// waiter, then the coroutine is resumed with the exception of `store`.
///
/// If the coroutine's context is destroyed first, the coroutine is destroyed with it. An empty
/// shell remains: completing or destroying it does nothing.
class Waiter {
public:
    Waiter() = default;
    Waiter(Waiter&& other) noexcept = default;
    Waiter& operator=(Waiter&& other) noexcept
    {
        Waiter old(std::move(other));
        std::swap(suspended_, old.suspended_);
        return *this;
    }
    ~Waiter()
    {
        if (suspended_) {
            destroy();
        }
    }

    explicit operator bool() const noexcept { return suspended_ != nullptr; }

    /// Returns the slot through which the coroutine receives cancellation. A handler assigned to
    /// the slot remains assigned after the waiter has been completed, so it must tolerate being
    /// called late. Call only on the coroutine's executor.
    asio::cancellation_slot slot() const noexcept { return suspended_->slot; }

    /// Returns the executor of the coroutine. Call only there: elsewhere the context may end
    /// meanwhile.
    const asio::any_io_executor& executor() const noexcept { return suspended_->executor; }
    /// Same as `executor`, for use on any thread.
    HeldExecutor held_executor() const { return {suspended_->life, suspended_->executor}; }
    /// Returns true if its coroutine runs on this executor too.
    bool runs_on(const HeldExecutor& other) const
    {
        return suspended_->life == other.life() && suspended_->executor == other.executor();
    }

    /// Returns the life of the context that its coroutine runs on.
    const std::shared_ptr<ContextLife>& life() const noexcept { return suspended_->life; }
    /// Keeps the coroutine from being destroyed while a thread uses its frame. The end of its
    /// context waits for the hold.
    ContextLife::Hold hold() const { return ContextLife::Hold(suspended_->life); }
    /// Returns true if this thread is calling `store` with this waiter: see `suspend`.
    bool is_being_stored() const noexcept { return suspended_.get() == being_stored; }
    /// Returns true if the end of its context has begun and waits for the threads that hold it.
    bool is_ending() const noexcept { return suspended_->life->is_ending(); }

    /// Resumes the coroutine by a post to its executor, with an exception if one is passed. If
    /// there is no memory for the post, it is posted as soon as there is. May be called from any
    /// thread, once.
    void complete(std::exception_ptr error = nullptr) noexcept;
    /// Same as `complete`, but resumes the coroutine at once. Call on its executor. Returns false
    /// if its context is being destroyed or if the coroutine was completed before.
    bool resume(std::exception_ptr error = nullptr);

    /// Implements `suspend`: calls `store` with the waiter of the coroutine that this handler
    /// resumes. Errors are reported to the coroutine.
    template <class Handler, class Store>
    static void initiate(Handler handler, Store& store)
    {
        std::shared_ptr<SuspendedWith<Handler>> suspended;
        std::exception_ptr error;
        try {
            suspended = std::make_shared<SuspendedWith<Handler>>(handler);
        } catch (...) {
            error = std::current_exception();
        }
        if (error) {
            std::move(handler)(std::move(error));
            return;
        }
        suspended->handler.emplace(std::move(handler));
        suspended->life->park(suspended);
        {
            const Stored stored(*suspended);
            try {
                store(Waiter(suspended));
            } catch (...) {
                error = std::current_exception();
            }
        }
        Waiter last(suspended);
        if (error) {
            last.resume(std::move(error));  // unless it has been completed
        } else if (!suspended->refused) {
            last.suspended_ = nullptr;  // `store` has passed it on
        }
    }

private:
    struct Suspended : ContextLife::Parked, Undelivered::Entry {
        Suspended(std::shared_ptr<ContextLife> life_, asio::cancellation_slot slot_,
                  asio::any_io_executor executor_)
            : life(std::move(life_)), slot(slot_), executor(std::move(executor_))
        {
        }

        virtual void resume(std::exception_ptr error) = 0;

        // For a completed one: see Posted and Undelivered.
        void run() { resume(std::move(result)); }
        void lost() noexcept { drop(); }
        bool deliver() noexcept override;

        const std::shared_ptr<ContextLife> life;
        asio::cancellation_slot slot;
        asio::any_io_executor executor;
        bool refused = false;  ///< true if `store` has destroyed the waiter
        std::exception_ptr result;
        std::shared_ptr<Suspended> keep;  ///< keeps this alive while it is undelivered
    };

    /// A mark for the coroutine whose `store` is being called by this thread. While the mark
    /// exists, destroying the waiter does not destroy the coroutine.
    class Stored {
    public:
        explicit Stored(const Suspended& suspended)
            : before_(std::exchange(being_stored, &suspended))
        {
        }
        Stored(const Stored&) = delete;
        Stored& operator=(const Stored&) = delete;
        ~Stored() { being_stored = before_; }

    private:
        const Suspended* const before_;
    };
    static thread_local constinit const Suspended* being_stored;

    template <class Handler>
    struct SuspendedWith final : Suspended {
        explicit SuspendedWith(const Handler& given)
            : SuspendedWith(given, asio::get_associated_executor(given))
        {
        }
        SuspendedWith(const Handler& given, const asio::any_io_executor& inner)
            : Suspended(ContextService::life(inner), asio::get_associated_cancellation_slot(given),
                        asio::prefer(inner, asio::execution::outstanding_work.tracked))
        {
        }

        void resume(std::exception_ptr error) override
        {
            Handler mine = std::move(*handler);
            drop();
            std::move(mine)(std::move(error));
        }
        void drop() noexcept override
        {
            handler.reset();
            slot = asio::cancellation_slot();
            executor = asio::any_io_executor();
        }

        std::optional<Handler> handler;
    };

    explicit Waiter(std::shared_ptr<Suspended> suspended) : suspended_(std::move(suspended)) {}

    void destroy() noexcept;

    std::shared_ptr<Suspended> suspended_;
};

/// Completes all waiters, in this order. Consecutive waiters with the same executor are passed to
/// it with one post. That function posts 256 of them one by one, and then itself for the remaining
/// ones, so that other work has its turns. On a strand, none of these 256 runs before all of them
/// have their places in the queue. If there is no memory for this, all are completed at once.
void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error = nullptr) noexcept;

/// Suspends the awaiting coroutine and calls `store(Waiter)` with it. Throws what `store` throws,
/// unless the waiter has been completed. (If an initiation of Asio throws, it destroys the
/// coroutine.)
///
/// `store` runs when the result is awaited, before anything else on the executor. Its captures must
/// be trivially destructible (`[&]`), because g++ 12 destroys them twice.
template <class Store>
asio::awaitable<void> suspend(Store store)
{
    static_assert(std::is_trivially_destructible_v<Store>);
    auto initiate = [](auto handler, Store keep) { Waiter::initiate(std::move(handler), keep); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable, std::move(store));
}

/// Suspends the coroutine for a turn of the event loop: everything that was posted before runs
/// first.
asio::awaitable<void> yield();

/// Suspends the coroutine and resumes it at once, before anything else has its turn.
inline asio::awaitable<void> suspend_once()
{
    auto initiate = [](auto handler) { std::move(handler)(std::exception_ptr()); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable);
}

}  // namespace keywatch::async
