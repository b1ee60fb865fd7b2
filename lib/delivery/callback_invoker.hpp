// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_context.hpp"
#include "watchdog.hpp"

#include "async/loop_turn.hpp"
#include "watch/wanted.hpp"

#include <keywatch/watcher.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// The outcome of the delivery of one commit.
struct Outcome {
    bool whole = true;
    bool stop = false;
    /// Number of messages that the predicate rejected.
    std::size_t left_out = 0;
};

/// Calls the callback of a watch for the messages of a commit, and times the calls.
///
/// 1. One call at a time. None follows one that has stopped or thrown, or during which the watch
///    was interrupted.
/// 2. A callback that takes longer than the timeout ends the watch: a coroutine is cancelled, a
///    plain callback is found out when it returns.
///
/// Used by the worker.
class CallbackInvoker {
public:
    /// `context` must outlive this object.
    CallbackInvoker(DeliveryContext& context, WatchCallback callback,
                    std::chrono::milliseconds timeout);

    /// Returns true if the callback is no coroutine. Any thread.
    bool is_plain() const noexcept;
    /// Calls a plain callback, from call number `at` on. If other work should have its turn before
    /// the rest, returns nothing and sets `at` to the next call.
    std::optional<Outcome> call_plain(watch::Wanted& wanted, std::size_t& at,
                                      async::LoopTurn& turn);
    /// Calls any callback, from call number `at` on.
    asio::awaitable<Outcome> call(watch::Wanted wanted, std::size_t at, Watchdog& watchdog);
    /// Destroys the callback.
    void release() noexcept { callback_.release(); }

private:
    /// Returns how often the callback is called for this commit.
    std::size_t calls(const watch::Wanted& wanted) const noexcept;
    Flow call_plain(const Commit& commit, std::size_t at);
    /// Calls a coroutine callback. The arguments must live until this has been awaited.
    asio::awaitable<Flow> call_coroutine(const Commit& commit, const Message& message,
                                         Watchdog& watchdog);

    DeliveryContext& context_;
    const std::chrono::milliseconds timeout_;
    /// Empty once the watch has ended.
    WatchCallback callback_;
};

}  // namespace keywatch::delivery
