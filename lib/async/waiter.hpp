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

/// One suspended coroutine, as `suspend` hands it to whoever will let it go on.
///
/// While it exists, the coroutine's executor has outstanding work. Destroying it without
/// completing it destroys the coroutine: that is for the end of an execution context only. While
/// `suspend` hands it over it is different: then the coroutine goes on, with the exception that has
/// destroyed it.
///
/// If the coroutine's context is destroyed first, the coroutine is destroyed with it. What is left
/// is an empty shell: completing or destroying that does nothing.
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

    /// Where its coroutine would like to hear of cancellation. What is assigned stays there when
    /// the waiter has been completed, so it must bear being called late. To be used where its
    /// coroutine runs.
    asio::cancellation_slot slot() const noexcept { return suspended_->slot; }

    /// Where its coroutine runs. To be used there only: elsewhere the context may end meanwhile.
    const asio::any_io_executor& executor() const noexcept { return suspended_->executor; }
    /// The same, for use anywhere.
    HeldExecutor held_executor() const { return {suspended_->life, suspended_->executor}; }
    /// Whether its coroutine runs there too.
    bool runs_on(const HeldExecutor& other) const
    {
        return suspended_->life == other.life() && suspended_->executor == other.executor();
    }

    /// The life of the context that its coroutine runs on.
    const std::shared_ptr<ContextLife>& life() const noexcept { return suspended_->life; }
    /// Keeps the coroutine from being destroyed, for a thread that uses its frame. The end of its
    /// context waits for that.
    ContextLife::Hold hold() const { return ContextLife::Hold(suspended_->life); }
    /// Whether this thread is about to hand it over: see `suspend`.
    bool is_being_stored() const noexcept { return suspended_.get() == being_stored; }
    /// Whether the end of its context waits already.
    bool is_ending() const noexcept { return suspended_->life->is_ending(); }

    /// Lets the coroutine go on, by a post to its executor; with an exception if one is given. If
    /// there is no memory for the post, as soon as there is. Any thread; once.
    void complete(std::exception_ptr error = nullptr) noexcept;
    /// The same at once, on its executor. False if its context is gone.
    bool resume(std::exception_ptr error = nullptr);

    /// What `suspend` does: has `store` called with the one whose coroutine this handler resumes.
    /// What goes wrong the coroutine is told.
    template <class Handler, class Store>
    static void hand_over(Handler handler, Store& store)
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

        // Of one that was completed: see Posted and Undelivered.
        void run() { resume(std::move(result)); }
        void lost() noexcept { drop(); }
        bool deliver() noexcept override;

        const std::shared_ptr<ContextLife> life;
        asio::cancellation_slot slot;
        asio::any_io_executor executor;
        bool refused = false;  ///< `store` has destroyed the waiter
        std::exception_ptr result;
        std::shared_ptr<Suspended> keep;  ///< while it is undelivered
    };

    /// While `store` is called with it by this thread, its destruction is not the end of the
    /// coroutine.
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

/// Completes them all, in this order. Those in a row that run on the same executor are handed to it
/// with one post, which posts them one by one: so none of them runs before all of them have their
/// places in its queue. It posts 256 of them, and then itself, so that others have their turns.
/// Without memory for that, all at once.
void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error = nullptr) noexcept;

/// Suspends the awaiting coroutine and calls `store(Waiter)` with it. Throws what `store` throws,
/// unless the waiter has been completed: an initiation of Asio's that throws would destroy the
/// coroutine.
///
/// `store` runs when the result is awaited, before anything else of the executor does; what it
/// captures must be trivially destructible (`[&]`), as g++ 12 destroys it twice.
template <class Store>
asio::awaitable<void> suspend(Store store)
{
    static_assert(std::is_trivially_destructible_v<Store>);
    auto initiate = [](auto handler, Store keep) { Waiter::hand_over(std::move(handler), keep); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable, std::move(store));
}

/// A turn of the event loop: everything that was posted before runs first.
asio::awaitable<void> yield();

/// A suspension that is over at once, before anything else has its turn.
inline asio::awaitable<void> blink()
{
    auto initiate = [](auto handler) { std::move(handler)(std::exception_ptr()); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable);
}

}  // namespace keywatch::async
