// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <utility>

namespace keywatch::async {

/// Waits until the timer has expired or is cancelled, on the executor of the coroutine. Throws if
/// there is no memory for the wait. Asio's own wait would then destroy the coroutine.
inline asio::awaitable<void> wait(asio::steady_timer& timer)
{
    struct Expired {
        Waiter waiter;

        explicit Expired(Waiter given) : waiter(std::move(given)) {}
        Expired(Expired&&) noexcept = default;
        Expired& operator=(Expired&&) = delete;
        ~Expired()
        {
            // The timer had no memory for the call. While the waiter is being stored, `suspend`
            // reports that to the coroutine.
            if (waiter && !waiter.is_being_stored()) {
                waiter.complete();
            }
        }
        void operator()(const boost::system::error_code&) { waiter.complete(); }
    };
    return suspend([&timer](Waiter waiter) {
        // The handler is called in place: a call on the timer's executor would need an allocation.
        timer.async_wait(asio::bind_executor(asio::system_executor(), Expired(std::move(waiter))));
    });
}

}  // namespace keywatch::async
