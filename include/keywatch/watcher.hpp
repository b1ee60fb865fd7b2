// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/watch_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace keywatch::delivery {
class PulledWatcher;
class WatcherImpl;
}  // namespace keywatch::delivery

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

/// The reason why a watch ended in an expected way.
enum class EndReason : std::uint8_t {
    /// `stop()`, `request_stop()`, or a callback that returned `Flow::stop`.
    stopped,
    /// Asio cancellation of `run()`.
    cancelled,
    /// `close()`. Everything committed before it has been delivered, unless its timeout expired.
    database_closed,
    /// The last structure with the name of the watched bucket was deleted, and that message was
    /// delivered. If a new bucket of that name is created in the same commit, its messages are
    /// delivered to a watch `From::after` the position of this one.
    bucket_deleted,
    /// `drain()` or `request_drain()`. Everything committed before it has been delivered.
    drained,
};

/// Returns the name of the enumerator.
std::string_view to_string(EndReason reason) noexcept;
/// Writes the name of the enumerator.
std::ostream& operator<<(std::ostream& out, EndReason reason);

struct WatcherInfo;

/// The result of `run()`.
struct WatchEnd {
    /// The reason of the end.
    EndReason reason = EndReason::stopped;
    /// The position of the last commit that was delivered whole or did not match; or a place within
    /// a commit, if the bucket of the watch ended there.
    Position position;
};

/// A callback in the form in which the library stores it. Can be constructed from any function that
/// takes `const Message&` or `const Commit&` and returns void, `Flow`, or an awaitable of either.
class WatchCallback {
public:
    /// @cond internal
    using Plain = std::function<Flow(const Message&)>;
    using PlainCommit = std::function<Flow(const Commit&)>;
    using Coroutine = std::function<asio::awaitable<Flow>(const Message&)>;
    using CoroutineCommit = std::function<asio::awaitable<Flow>(const Commit&)>;
    using CoroutineVoid = std::function<asio::awaitable<void>(const Message&)>;
    using CoroutineCommitVoid = std::function<asio::awaitable<void>(const Commit&)>;
    using Function = std::variant<Plain, PlainCommit, Coroutine, CoroutineCommit, CoroutineVoid,
                                  CoroutineCommitVoid>;
    /// @endcond

    /// Stores a copy of the function.
    template <class Callback>
        requires(!std::is_same_v<std::remove_cvref_t<Callback>, WatchCallback>)
    WatchCallback(Callback&& callback);  // NOLINT: any callable converts

    /// @cond internal
    const Function& function() const noexcept { return function_; }
    void release() noexcept
    {
        std::visit([](auto& each) { each = nullptr; }, function_);
    }
    /// @endcond

private:
    Function function_;
};

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

// Implementation details.

namespace detail {

template <class Callback, class Argument>
WatchCallback::Function wrap_callback(Callback callback)
{
    using Result = std::invoke_result_t<Callback&, const Argument&>;
    constexpr bool commit = std::is_same_v<Argument, Commit>;
    using Plain = std::conditional_t<commit, WatchCallback::PlainCommit, WatchCallback::Plain>;
    using Coroutine =
        std::conditional_t<commit, WatchCallback::CoroutineCommit, WatchCallback::Coroutine>;
    using CoroutineVoid = std::conditional_t<commit, WatchCallback::CoroutineCommitVoid,
                                             WatchCallback::CoroutineVoid>;

    static_assert(std::is_void_v<Result> || std::is_same_v<Result, Flow> ||
                      std::is_same_v<Result, asio::awaitable<void>> ||
                      std::is_same_v<Result, asio::awaitable<Flow>>,
                  "a watch callback returns void, Flow, awaitable<void> or awaitable<Flow>");
    if constexpr (std::is_void_v<Result>) {
        return Plain{[callback = std::move(callback)](const Argument& argument) mutable {
            callback(argument);
            return Flow::go_on;
        }};
    } else if constexpr (std::is_same_v<Result, Flow>) {
        return Plain{std::move(callback)};
    } else if constexpr (std::is_same_v<Result, asio::awaitable<void>>) {
        return CoroutineVoid{std::move(callback)};
    } else if constexpr (std::is_same_v<Result, asio::awaitable<Flow>>) {
        return Coroutine{std::move(callback)};
    } else {
        return {};
    }
}

template <class Callback>
WatchCallback::Function wrap_callback(Callback callback)
{
    constexpr bool messages = std::is_invocable_v<Callback&, const Message&>;
    constexpr bool commits = std::is_invocable_v<Callback&, const Commit&>;
    constexpr bool copyable = std::is_copy_constructible_v<Callback>;
    static_assert(messages || commits,
                  "a watch callback takes const keywatch::Message& or const keywatch::Commit&");
    static_assert(!(messages && commits),
                  "a watch callback must take one of const Message& and const Commit&, not both");
    static_assert(copyable, "a watch callback must be copyable: pass std::ref(callback)");
    if constexpr (messages == commits || !copyable) {
        return {};
    } else if constexpr (messages) {
        return wrap_callback<Callback, Message>(std::move(callback));
    } else {
        return wrap_callback<Callback, Commit>(std::move(callback));
    }
}

}  // namespace detail

template <class Callback>
    requires(!std::is_same_v<std::remove_cvref_t<Callback>, WatchCallback>)
WatchCallback::WatchCallback(Callback&& callback)
    : function_(detail::wrap_callback<std::decay_t<Callback>>(std::forward<Callback>(callback)))
{
}

}  // namespace keywatch
