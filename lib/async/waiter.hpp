// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "post.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace keywatch::async {

namespace asio = boost::asio;

/// One suspended coroutine, as `suspend` hands it to whoever will let it go on.
///
/// While it exists, the coroutine's executor has outstanding work. Destroying it without
/// completing it destroys the coroutine: that is for the end of an execution context only.
class Waiter {
public:
    Waiter() = default;
    template <class Handler>
    Waiter(Handler handler, int)
        : slot_(asio::get_associated_cancellation_slot(handler)),
          executor_(asio::prefer(asio::any_io_executor(asio::get_associated_executor(handler)),
                                 asio::execution::outstanding_work.tracked)),
          handler_(std::in_place, std::move(handler))
    {
    }
    Waiter(Waiter&& other) noexcept { swap(other); }
    Waiter& operator=(Waiter&& other) noexcept
    {
        Waiter old(std::move(other));
        swap(old);
        return *this;
    }
    ~Waiter() = default;

    explicit operator bool() const noexcept { return handler_.has_value(); }

    /// Where its coroutine would like to hear of cancellation. What is assigned stays there when
    /// the waiter has been completed, so it must bear being called late.
    asio::cancellation_slot slot() const noexcept { return slot_; }

    /// Where its coroutine runs.
    const asio::any_io_executor& executor() const noexcept { return executor_; }

    /// Lets the coroutine go on, by a post to its executor; with an exception if one is given. Any
    /// thread; once.
    void complete(std::exception_ptr error = nullptr)
    {
        Waiter self(std::move(*this));
        const asio::any_io_executor executor = self.executor_;
        auto resume = [self = std::move(self), error = std::move(error)]() mutable {
            Handler handler = std::move(*self.handler_);
            self = Waiter();
            std::move(handler)(std::move(error));
        };
        post(executor, std::move(resume));
    }

private:
    using Handler = asio::any_completion_handler<void(std::exception_ptr)>;

    // Boost 1.81's any_completion_handler cannot be assigned to, so the optional is rebuilt.
    void swap(Waiter& other) noexcept
    {
        std::optional<Handler> mine;
        if (handler_) {
            mine.emplace(std::move(*handler_));
            handler_.reset();
        }
        if (other.handler_) {
            handler_.emplace(std::move(*other.handler_));
            other.handler_.reset();
        }
        if (mine) {
            other.handler_.emplace(std::move(*mine));
        }
        std::swap(slot_, other.slot_);
        std::swap(executor_, other.executor_);
    }

    asio::cancellation_slot slot_;
    asio::any_io_executor executor_;
    std::optional<Handler> handler_;
};

/// Completes them all, in this order. Those in a row that run on the same executor are handed to it
/// with one post, which posts them one by one: so none of them runs before all of them have their
/// places in its queue.
void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error = nullptr);

/// Suspends the awaiting coroutine and calls `store(Waiter)` with it.
///
/// `store` runs when the result is awaited, before anything else of the executor does; what it
/// captures must be trivially destructible (`[&]`), as g++ 12 destroys it twice.
template <class Store>
asio::awaitable<void> suspend(Store store)
{
    static_assert(std::is_trivially_destructible_v<Store>);
    auto initiate = [](auto handler, Store keep) { keep(Waiter(std::move(handler), 0)); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable, std::move(store));
}

/// A turn of the event loop: everything that was posted before runs first.
inline asio::awaitable<void> yield()
{
    return asio::post(asio::use_awaitable);
}

/// A suspension that is over at once, before anything else has its turn.
inline asio::awaitable<void> blink()
{
    auto initiate = [](auto handler) { std::move(handler)(std::exception_ptr()); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable);
}

}  // namespace keywatch::async
