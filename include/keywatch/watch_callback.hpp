// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/watch_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

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
