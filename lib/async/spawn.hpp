// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/system_executor.hpp>

#include <utility>

namespace keywatch::async {

namespace asio = boost::asio;

/// Starts a coroutine. `ended` is called on the executor with the exception of the coroutine, or
/// null. It must not throw. It is called in place, not posted: a post may fail for lack of memory,
/// and that error would reach no caller.
template <class Ended>
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, Ended ended)
{
    asio::co_spawn(executor, std::move(coroutine),
                   asio::bind_executor(asio::system_executor(), std::move(ended)));
}

}  // namespace keywatch::async
