// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <utility>

namespace keywatch::async {

namespace asio = boost::asio;

/// An executor that runs functions on another one, and does not allow callers to count outstanding
/// work on it. A coroutine spawned on it is resumed when something is posted to it. While the
/// coroutine is parked, it does not keep the event loop's run() from returning.
class UntrackedExecutor {
public:
    /// Creates an executor above `inner`. It is a named constructor, because a converting
    /// constructor would send Asio's concept checks in circles.
    static UntrackedExecutor on(const asio::any_io_executor& inner)
    {
        return {asio::require(inner, asio::execution::blocking.never), 0};
    }

    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return asio::query(inner_, asio::execution::context);
    }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
    {
        return asio::execution::blocking.never;
    }
    UntrackedExecutor require(asio::execution::blocking_t::never_t) const { return *this; }

    template <class Function>
    void execute(Function&& function) const
    {
        inner_.execute(std::forward<Function>(function));
    }

    friend bool operator==(const UntrackedExecutor& a, const UntrackedExecutor& b) noexcept
    {
        return a.inner_ == b.inner_;
    }
    friend bool operator!=(const UntrackedExecutor& a, const UntrackedExecutor& b) noexcept
    {
        return !(a == b);
    }

private:
    UntrackedExecutor(asio::any_io_executor inner, int) : inner_(std::move(inner)) {}

    asio::any_io_executor inner_;
};

}  // namespace keywatch::async
