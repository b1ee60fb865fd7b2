// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/require.hpp>

#include <utility>

namespace keywatch::async {

/// As `asio::post`, for a function that has no executor or allocator of its own. That one asks a
/// type-erased executor for three properties, each of which copies it; this asks for the one that
/// matters.
template <class Function>
void post(const boost::asio::any_io_executor& executor, Function&& function)
{
    boost::asio::require(executor, boost::asio::execution::blocking.never)
        .execute(std::forward<Function>(function));
}

}  // namespace keywatch::async
