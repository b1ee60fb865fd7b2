// SPDX-License-Identifier: BSL-1.0
#include "callback_invoker.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace keywatch::delivery {

namespace {

[[noreturn]] void throw_timeout()
{
    fail(Error::callback_timeout);
}

/// Awaits a callback, timed by the watchdog. The callback shares the cancellation state with the
/// worker. The state is therefore reset before each callback, and after it cancellation no longer
/// throws in the worker.
template <class T>
asio::awaitable<Flow> await_callback(asio::awaitable<T> callback, Watchdog& watchdog)
{
    co_await asio::this_coro::reset_cancellation_state();
    co_await asio::this_coro::throw_if_cancelled(true);
    watchdog.callback_begins();
    std::exception_ptr error;
    Flow flow = Flow::go_on;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(callback);
        } else {
            flow = co_await std::move(callback);
        }
    } catch (...) {
        error = std::current_exception();
    }
    watchdog.callback_ended();
    co_await asio::this_coro::throw_if_cancelled(false);
    if (error) {
        std::rethrow_exception(error);
    }
    if (watchdog.timed_out()) {
        throw_timeout();
    }
    co_return flow;
}

}  // namespace

CallbackInvoker::CallbackInvoker(DeliveryContext& context, WatchCallback callback,
                                 std::chrono::milliseconds timeout)
    : context_(context), timeout_(timeout), callback_(std::move(callback))
{
}

asio::awaitable<Outcome> CallbackInvoker::call(watch::Wanted wanted, std::size_t at,
                                               Watchdog& watchdog)
{
    async::LoopTurn& turn = watchdog.turn();
    if (is_plain()) {
        while (true) {
            const std::optional<Outcome> outcome = call_plain(wanted, at, turn);
            if (outcome) {
                co_return *outcome;
            }
            co_await turn.yield();
        }
    }
    while (!wanted.ask(async::LoopTurn::steps_a_look)) {
        if (turn.is_over(async::LoopTurn::steps_a_look)) {
            co_await turn.yield();
        }
    }
    const std::size_t count = calls(wanted);
    while (at < count) {
        const Message message = wanted.commit()[at];
        const auto began = std::chrono::steady_clock::now();
        const Flow flow = co_await call_coroutine(wanted.commit(), message, watchdog);
        const auto ended = std::chrono::steady_clock::now();
        context_.figures.called_back(ended - began);
        ++at;
        if (flow == Flow::stop) {
            co_return Outcome{at == count, true, wanted.left_out()};
        }
        if (turn.is_over_at(ended) && at < count) {
            co_await turn.yield();
        }
        if (context_.is_interrupted()) {
            co_return Outcome{at == count, false, wanted.left_out()};
        }
    }
    co_return Outcome{true, false, wanted.left_out()};
}

bool CallbackInvoker::is_plain() const noexcept
{
    return std::holds_alternative<WatchCallback::Plain>(callback_.function()) ||
           std::holds_alternative<WatchCallback::PlainCommit>(callback_.function());
}

std::size_t CallbackInvoker::calls(const watch::Wanted& wanted) const noexcept
{
    if (!wanted.any()) {
        return 0;
    }
    const WatchCallback::Function& function = callback_.function();
    const bool by_message = std::holds_alternative<WatchCallback::Plain>(function) ||
                            std::holds_alternative<WatchCallback::Coroutine>(function) ||
                            std::holds_alternative<WatchCallback::CoroutineVoid>(function);
    return by_message ? wanted.commit().size() : 1;
}

std::optional<Outcome> CallbackInvoker::call_plain(watch::Wanted& wanted, std::size_t& at,
                                                   async::LoopTurn& turn)
{
    while (!wanted.ask(async::LoopTurn::steps_a_look)) {
        if (turn.is_over(async::LoopTurn::steps_a_look)) {
            return std::nullopt;
        }
    }
    if (at > 0 && context_.is_interrupted()) {
        return Outcome{false, false, wanted.left_out()};
    }
    const std::size_t count = calls(wanted);
    auto began = std::chrono::steady_clock::now();
    while (at < count) {
        const Flow flow = call_plain(wanted.commit(), at);
        const auto ended = std::chrono::steady_clock::now();
        context_.figures.called_back(ended - began);
        if (ended - began > timeout_) {
            throw_timeout();
        }
        began = ended;
        ++at;
        if (flow == Flow::stop) {
            return Outcome{at == count, true, wanted.left_out()};
        }
        if (context_.is_interrupted()) {
            return Outcome{at == count, false, wanted.left_out()};
        }
        if (turn.is_over_at(ended) && at < count) {
            return std::nullopt;
        }
    }
    return Outcome{true, false, wanted.left_out()};
}

Flow CallbackInvoker::call_plain(const Commit& commit, std::size_t at)
{
    if (const auto* by_message = std::get_if<WatchCallback::Plain>(&callback_.function())) {
        return (*by_message)(commit[at]);
    }
    return std::get<WatchCallback::PlainCommit>(callback_.function())(commit);
}

asio::awaitable<Flow> CallbackInvoker::call_coroutine(const Commit& commit, const Message& message,
                                                      Watchdog& watchdog)
{
    const WatchCallback::Function& function = callback_.function();
    if (const auto* callback = std::get_if<WatchCallback::Coroutine>(&function)) {
        return await_callback((*callback)(message), watchdog);
    }
    if (const auto* callback = std::get_if<WatchCallback::CoroutineCommit>(&function)) {
        return await_callback((*callback)(commit), watchdog);
    }
    if (const auto* callback = std::get_if<WatchCallback::CoroutineVoid>(&function)) {
        return await_callback((*callback)(message), watchdog);
    }
    const auto& by_commit = std::get<WatchCallback::CoroutineCommitVoid>(function);
    return await_callback(by_commit(commit), watchdog);
}

}  // namespace keywatch::delivery
