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

namespace keywatch::pipeline {
class WatcherCore;
}

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

/// Why a watch ended in an expected way.
enum class EndReason : std::uint8_t {
    /// `stop()`, `request_stop()`, or a callback that returned `Flow::stop`.
    stopped,
    /// Asio cancellation of `run()`.
    cancelled,
    /// `close()`: everything committed before it has been delivered, unless its timeout came first.
    database_closed,
    /// The last structure of the watched bucket's name was deleted; that message was delivered.
    /// What follows in the same commit, in a new bucket of that name, is delivered to a watch
    /// `From::after` its position.
    bucket_deleted,
    /// `drain()` or `request_drain()`: everything committed before it has been delivered.
    drained,
};

/// The name of the enumerator.
std::string_view to_string(EndReason reason) noexcept;
/// As `to_string`.
std::ostream& operator<<(std::ostream& out, EndReason reason);

struct WatcherInfo;

/// What `run()` returns.
struct WatchEnd {
    /// Why the watch ended.
    EndReason reason = EndReason::stopped;
    /// The last commit that was delivered whole, or that did not match; or a place within a commit,
    /// if its bucket has ended there.
    Position position;
};

/// A callback in the form the library keeps it. Made from any function that takes `const Message&`
/// or `const Commit&` and returns void, `Flow`, or an awaitable of either.
class WatchCallback {
public:
    /// @cond no part of the interface
    using Plain = std::function<Flow(const Message&)>;
    using PlainCommit = std::function<Flow(const Commit&)>;
    using Coroutine = std::function<asio::awaitable<Flow>(const Message&)>;
    using CoroutineCommit = std::function<asio::awaitable<Flow>(const Commit&)>;
    using CoroutineVoid = std::function<asio::awaitable<void>(const Message&)>;
    using CoroutineCommitVoid = std::function<asio::awaitable<void>(const Commit&)>;
    using Function = std::variant<Plain, PlainCommit, Coroutine, CoroutineCommit, CoroutineVoid,
                                  CoroutineCommitVoid>;
    /// @endcond

    /// Keeps a copy of the function.
    template <class Callback>
        requires(!std::is_same_v<std::remove_cvref_t<Callback>, WatchCallback>)
    WatchCallback(Callback&& callback);  // NOLINT: any callable converts

    /// @cond no part of the interface
    const Function& function() const noexcept { return function_; }
    void release() noexcept
    {
        std::visit([](auto& each) { each = nullptr; }, function_);
    }
    /// @endcond

private:
    Function function_;
};

/// A handle to one watch, made by `Database::watch`. Copies are handles to the same watch.
///
/// Destroying handles does not stop a `run()`. A watch that is never run costs nothing but its own
/// small object: it holds back no history and receives nothing.
///
/// Thread safety: all members may be called from any thread.
class Watcher {
public:
    /// @cond no part of the interface
    explicit Watcher(std::shared_ptr<pipeline::WatcherCore> core);
    /// @endcond

    /// Delivers to the callback, in order and one at a time, until the watch ends; once per watch.
    ///
    /// Callbacks run on a strand of the executor that this is awaited on. On a multi-threaded
    /// context those of two watchers may run at the same time, those of one never.
    ///
    /// Returns for ends that are expected (`EndReason`). Throws what the callback threw, unchanged;
    /// otherwise `Compacted`, `Error::overflow` (of `Overflow::stop`), `Error::callback_timeout`,
    /// `Error::damaged` if history cannot be read, `Error::already_running`, or `Error::closed` if
    /// the database was closed before. A write that failed ends no watch.
    ///
    /// When it has returned or thrown, no callback is running or will run, and `position()` is the
    /// last commit that was delivered whole: a later watch `From::after(position())` goes on there.
    ///
    /// Cancellation: terminal. A suspended callback is cancelled and awaited, then it returns
    /// `EndReason::cancelled`.
    ///
    /// With a completion token that keeps exceptions, as `as_tuple`, the `WatchEnd` that comes with
    /// one is empty: `position()` tells.
    ///
    /// Not available on a temporary: name the watcher. (g++ 12 would destroy the callback twice.)
    asio::awaitable<WatchEnd> run() &;
    asio::awaitable<WatchEnd> run() && = delete;

    /// Waits until `run()` was called and the watch has begun. It may be catching up then, and go
    /// on doing so: `info().state` tells. Nothing needs this for correctness: what is committed
    /// after `watch()` is delivered.
    ///
    /// Fails with `Error::ready_timeout`, with what `run()` failed with if that ended before, with
    /// `Error::watch_ended` if it ended in an expected way, `Error::invalid_option` for a time that
    /// is not positive. Cancellation: any; nothing changes.
    asio::awaitable<void> wait_ready(std::chrono::milliseconds timeout) const;

    /// Ends the watch after the callback that is running, and waits for that. Returns at once if it
    /// is not running, or has ended; a `run()` that comes later ends before its first callback.
    /// Awaited inside the watcher's own callback it does not wait. Cancellation: any; the watch
    /// still stops.
    asio::awaitable<void> stop() const;

    /// As `stop()`, without waiting.
    void request_stop() const;

    /// Delivers everything that was committed before the call, then ends the watch with
    /// `EndReason::drained`, and waits for that; also for a `run()` that has yet to be called. Some
    /// of what is committed meanwhile may be delivered too. The first call counts. The buffer's
    /// overflow does not end a watch that is drained (`Overflow::stop`): it catches up.
    ///
    /// Awaited inside the watcher's own callback it does not wait. Fails with what `run()` fails
    /// with, with `Error::watch_ended` if the watch ends in another way before it has everything,
    /// with `Error::closed` if it was never run and the database closes. Cancellation: any; the
    /// watch is still drained.
    asio::awaitable<void> drain() const;

    /// As `drain()`, without waiting.
    void request_drain() const;

    /// Waits until everything that matches, up to and including `revision`, has been delivered and
    /// its callback has returned. Also while the watcher falls behind and catches up, and before
    /// `run()` was called.
    ///
    /// Fails with what `run()` fails with, with `Error::watch_ended` if the watch ends before in an
    /// expected way, with `Error::would_deadlock` inside the watcher's own callback (unless the
    /// revision is reached already). Cancellation: any; nothing changes.
    asio::awaitable<void> reached(Revision revision) const;

    /// The last commit that was delivered whole, or that did not match; also while `run()` runs and
    /// after it threw. Before `run()`: where it will start after. In a callback: still the commit
    /// before.
    Position position() const;

    /// How it is doing; also when it has ended. Needs `keywatch/watcher_info.hpp`.
    WatcherInfo info() const;

    /// Unique among the watchers made since the database was opened, ascending from 1.
    std::uint64_t id() const noexcept;

    /// As `WatchOptions::name` was given.
    const std::string& name() const noexcept;

private:
    std::shared_ptr<pipeline::WatcherCore> core_;
};

// What follows is no part of the interface.

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
