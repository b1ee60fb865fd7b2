// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>
#include <variant>

namespace keywatch::pipeline {

namespace {

[[noreturn]] void throw_timeout()
{
    throw boost::system::system_error(make_error_code(Error::callback_timeout));
}

/// Awaits a callback under the eyes of the watchdog. What it did to the cancellation state of the
/// coroutine that it shares with the worker is undone.
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

asio::awaitable<bool> WatcherCore::deliver_all(const std::vector<watch::Entry>& entries,
                                               Watchdog& watchdog)
{
    begin_delivery(entries);
    Tally tally(pipeline_->counters());
    for (std::size_t at = 0; at < entries.size(); ++at) {
        const watch::Entry& entry = entries[at];
        passed(entry.follows());
        const Commit commit = commit_of(entry);
        const Outcome outcome = co_await deliver(commit, watchdog);
        if (settle(commit, watch::through(entries, at), outcome, entry.messages(), tally)) {
            co_return false;
        }
        if (entry.loses) {
            lose_buckets(*entry.commit);  // the victim collector tells of the end
        }
    }
    co_return true;
}

bool WatcherCore::deliver_all_plain(const std::vector<watch::Entry>& entries)
{
    begin_delivery(entries);
    Tally tally(pipeline_->counters());
    for (std::size_t at = 0; at < entries.size(); ++at) {
        const watch::Entry& entry = entries[at];
        passed(entry.follows());
        const Commit commit = commit_of(entry);
        const Outcome outcome = deliver_plain(commit);
        if (settle(commit, watch::through(entries, at), outcome, entry.messages(), tally)) {
            return false;
        }
        if (entry.loses) {
            lose_buckets(*entry.commit);
        }
    }
    return true;
}

void WatcherCore::begin_delivery(const std::vector<watch::Entry>& entries)
{
    if (pace_ && !entries.empty()) {
        pace_->begins(Pace::Clock::now(), follower_.live());
    }
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver(Commit offered, Watchdog& watchdog)
{
    if (is_plain()) {
        co_return deliver_plain(offered);
    }
    const watch::Wanted wanted(offered, predicate_at_delivery());
    const std::size_t count = calls(wanted);
    for (std::size_t at = 0; at < count; ++at) {
        const Message message = wanted.commit()[at];
        const auto began = std::chrono::steady_clock::now();
        const Flow flow = co_await call_coroutine(wanted.commit(), message, watchdog);
        figures_.called_back(std::chrono::steady_clock::now() - began);
        if (flow == Flow::stop) {
            co_return Outcome{at + 1 == count, true, wanted.left_out()};
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            co_return Outcome{at + 1 == count, false, wanted.left_out()};
        }
    }
    co_return Outcome{true, false, wanted.left_out()};
}

bool WatcherCore::is_plain() const noexcept
{
    return std::holds_alternative<WatchCallback::Plain>(callback_.function()) ||
           std::holds_alternative<WatchCallback::PlainCommit>(callback_.function());
}

std::size_t WatcherCore::calls(const watch::Wanted& wanted) const noexcept
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

WatcherCore::Outcome WatcherCore::deliver_plain(const Commit& offered)
{
    const watch::Wanted wanted(offered, predicate_at_delivery());
    const std::size_t count = calls(wanted);
    auto began = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < count; ++at) {
        const Flow flow = call_plain(wanted.commit(), at);
        const auto ended = std::chrono::steady_clock::now();
        figures_.called_back(ended - began);
        if (ended - began > callback_timeout_) {
            throw_timeout();
        }
        began = ended;
        if (flow == Flow::stop) {
            return {at + 1 == count, true, wanted.left_out()};
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            return {at + 1 == count, false, wanted.left_out()};
        }
    }
    return {true, false, wanted.left_out()};
}

Flow WatcherCore::call_plain(const Commit& commit, std::size_t at)
{
    if (const auto* by_message = std::get_if<WatchCallback::Plain>(&callback_.function())) {
        return (*by_message)(commit[at]);
    }
    return std::get<WatchCallback::PlainCommit>(callback_.function())(commit);
}

asio::awaitable<Flow> WatcherCore::call_coroutine(const Commit& commit, const Message& message,
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

}  // namespace keywatch::pipeline
