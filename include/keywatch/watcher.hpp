// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/watch_callback.hpp>
#include <keywatch/watch_end.hpp>
#include <keywatch/watch_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace keywatch::delivery {
class PulledWatcher;
class WatcherImpl;
}  // namespace keywatch::delivery

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

struct WatcherInfo;

/// A handle to one watch, created by `Database::watch`. Copies are handles to the same watch.
///
/// Destroying handles does not stop a `run()`. A watch that is never run costs only its own small
/// object: it holds no history and receives nothing.
///
/// Thread safety: all members may be called from any thread.
class Watcher {
public:
    /// @cond internal
    explicit Watcher(std::shared_ptr<delivery::WatcherImpl> core);
    /// @endcond

    /// Delivers to the callback, in order and one call at a time, until the watch ends. May be
    /// called once per watch.
    ///
    /// Callbacks run on a strand of the executor on which this is awaited. On a multi-threaded
    /// context, the callbacks of two watchers may run concurrently, those of one watcher never do.
    ///
    /// Returns if the watch ends in an expected way (`EndReason`). Throws what the callback threw,
    /// unchanged; otherwise `Compacted`, `Error::overflow` (with `Overflow::stop`),
    /// `Error::callback_timeout`, `Error::damaged` if history cannot be read,
    /// `Error::already_running`, or `Error::closed` if the database was closed before. A failed
    /// write ends no watch.
    ///
    /// When it has returned or thrown, no callback of the watch is running or will run, and
    /// `position()` is the last commit that was delivered whole: a later watch
    /// `From::after(position())` continues there.
    ///
    /// Cancellation: terminal. A suspended callback is cancelled and awaited, then this returns
    /// `EndReason::cancelled`.
    ///
    /// With a completion token that stores exceptions, such as `as_tuple`, the `WatchEnd` that
    /// accompanies an exception is empty: use `position()`.
    ///
    /// Not available on a temporary: give the watcher a name. (g++ 12 would destroy the callback
    /// twice.)
    asio::awaitable<WatchEnd> run() &;
    asio::awaitable<WatchEnd> run() && = delete;

    /// Waits until `run()` was called and the watch has begun. The watch may be catching up at that
    /// time and afterwards: `info().state` shows it. Waiting is not required for correctness:
    /// everything committed after `watch()` is delivered.
    ///
    /// Errors: `Error::ready_timeout`; the error of `run()`, if that failed before;
    /// `Error::watch_ended` if the watch ended before in an expected way; `Error::invalid_option`
    /// if the timeout is not positive. Cancellation: any, without any effect on the watch.
    asio::awaitable<void> wait_ready(std::chrono::milliseconds timeout) const;

    /// Ends the watch after the callback that is running, and waits until it has ended. Returns
    /// immediately if the watch is not running or has ended. If `run()` is called later, it ends
    /// before its first callback. If awaited inside the watcher's own callback, this does not wait.
    /// Cancellation: any; the watch still stops.
    asio::awaitable<void> stop() const;

    /// Same as `stop()`, without waiting.
    void request_stop() const;

    /// Delivers everything that was committed before the call, then ends the watch with
    /// `EndReason::drained`, and waits until it has ended. Also waits for a `run()` that has not
    /// been called yet. Some of what is committed meanwhile may be delivered too. The first call
    /// determines the revision. `Overflow::stop` does not end a watch that is being drained: it
    /// catches up instead.
    ///
    /// If awaited inside the watcher's own callback, this does not wait. Errors: the error of
    /// `run()`; `Error::watch_ended` if the watch ends in another way before everything has been
    /// delivered; `Error::closed` if the watch was never run and the database closes. Cancellation:
    /// any; the watch is still drained.
    asio::awaitable<void> drain() const;

    /// Same as `drain()`, without waiting.
    void request_drain() const;

    /// Waits until everything that matches, up to and including `revision`, has been delivered and
    /// its callback has returned. Also works while the watcher falls behind and catches up, and
    /// before `run()` is called.
    ///
    /// Errors: the error of `run()`; `Error::watch_ended` if the watch ends before in an expected
    /// way; `Error::would_deadlock` inside the watcher's own callback (unless the revision has
    /// already been reached). Cancellation: any, without any effect on the watch.
    asio::awaitable<void> reached(Revision revision) const;

    /// Returns the position of the last commit that was delivered whole or did not match. Also
    /// available while `run()` is running and after it threw. Before `run()`, returns the position
    /// after which the watch will start. In a callback, this is still the commit before the one
    /// being delivered.
    Position position() const;

    /// Returns the state and figures of the watch, even after it has ended. Requires
    /// `keywatch/watcher_info.hpp`.
    WatcherInfo info() const;

    /// Returns an id that is unique among the watchers created since the database was opened,
    /// ascending from 1.
    std::uint64_t id() const noexcept;

    /// Returns `WatchOptions::name`.
    const std::string& name() const noexcept;

private:
    std::shared_ptr<delivery::WatcherImpl> core_;
};

}  // namespace keywatch
