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

asio::awaitable<void> WatcherCore::take_inbox(Watchdog& watchdog)
{
    if (pull_) {
        take_inbox_pulled();
        co_return;
    }
    const Revision routed = pipeline_->routed();  // before the inbox is taken: see Follower
    Delivery delivery{take_entries(), routed};
    begin_delivery(delivery.incoming.taken.entries);
    const bool whole = co_await deliver_all(delivery, watchdog);
    if (whole) {
        took(routed, delivery.incoming);
    }
}

std::unique_ptr<Delivery> WatcherCore::take_inbox_plain()
{
    const Revision routed = pipeline_->routed();  // before the inbox is taken: see Follower
    Delivery delivery{take_entries(), routed};
    begin_delivery(delivery.incoming.taken.entries);
    switch (deliver_plain(delivery)) {
    case Plain::whole:
        took(routed, delivery.incoming);
        break;
    case Plain::ended:
        break;
    case Plain::paused:
        return std::make_unique<Delivery>(std::move(delivery));
    }
    return nullptr;
}

void WatcherCore::take_inbox_pulled()
{
    const Revision routed = pipeline_->routed();  // before the inbox is taken: see Follower
    offer_inbox(take_entries(), routed);
}

asio::awaitable<void> WatcherCore::deliver_rest(Delivery& delivery, Watchdog& watchdog)
{
    co_await watchdog.turn().yield();
    const bool whole = co_await deliver_all(delivery, watchdog);
    if (whole) {
        took(delivery.routed, delivery.incoming);
        co_await tell_progress(watchdog);
    }
}

asio::awaitable<bool> WatcherCore::deliver_all(Delivery& delivery, Watchdog& watchdog)
{
    const std::vector<watch::Entry>& entries = delivery.incoming.taken.entries;
    Tally tally(pipeline_->counters());
    while (delivery.next < entries.size()) {
        const Commit commit = commit_of(entries[delivery.next]);
        const Outcome outcome = co_await deliver_next(delivery, commit, watchdog);
        if (settle_next(delivery, commit, outcome, tally)) {
            co_return false;
        }
        if (watchdog.turn().was_over() && delivery.next < entries.size()) {
            co_await watchdog.turn().yield();
            if (interrupted_.load(std::memory_order_acquire)) {
                follower_.fell_behind();  // the rest of what was taken is not delivered
                co_return false;
            }
        }
    }
    co_return true;
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver_next(Delivery& delivery,
                                                                const Commit& commit,
                                                                Watchdog& watchdog)
{
    if (delivery.begun) {
        watch::Wanted begun = std::move(*delivery.begun);
        delivery.begun.reset();
        return deliver_from(std::move(begun), delivery.messages, watchdog);
    }
    passed(delivery.incoming.taken.entries[delivery.next].follows());
    return deliver(commit, watchdog);
}

bool WatcherCore::settle_next(Delivery& delivery, const Commit& commit, Outcome outcome,
                              Tally& tally)
{
    const std::vector<watch::Entry>& entries = delivery.incoming.taken.entries;
    const watch::Entry& entry = entries[delivery.next];
    const Revision through = watch::through(entries, delivery.next);
    if (settle(commit, through, outcome, entry.messages(), tally)) {
        return true;
    }
    if (entry.loses) {
        lose_buckets(*entry.commit, entry.selected);  // the victim collector tells of the end
    }
    ++delivery.next;
    return false;
}

WatcherCore::Plain WatcherCore::deliver_plain(Delivery& delivery)
{
    const std::vector<watch::Entry>& entries = delivery.incoming.taken.entries;
    LoopTurn turn;
    Tally tally(pipeline_->counters());
    while (delivery.next < entries.size()) {
        const watch::Entry& entry = entries[delivery.next];
        passed(entry.follows());
        const Commit commit = commit_of(entry);
        watch::Wanted wanted(commit, predicate_at_delivery(), 0);
        std::size_t at = 0;
        const std::optional<Outcome> outcome = call_plain(wanted, at, turn);
        if (!outcome) {
            delivery.begun.emplace(std::move(wanted));
            delivery.messages = at;
            return Plain::paused;
        }
        if (settle_next(delivery, commit, *outcome, tally)) {
            return Plain::ended;
        }
        if (turn.was_over() && delivery.next < entries.size()) {
            return Plain::paused;
        }
    }
    return Plain::whole;
}

void WatcherCore::begin_delivery(const std::vector<watch::Entry>& entries)
{
    if (pace_ && !entries.empty()) {
        pace_->begins(Pace::Clock::now(), follower_.live());
    }
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver(Commit offered, Watchdog& watchdog)
{
    return deliver_from(watch::Wanted(offered, predicate_at_delivery(), 0), 0, watchdog);
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver_from(watch::Wanted wanted,
                                                                std::size_t at, Watchdog& watchdog)
{
    LoopTurn& turn = watchdog.turn();
    if (is_plain()) {
        while (true) {
            const std::optional<Outcome> outcome = call_plain(wanted, at, turn);
            if (outcome) {
                co_return *outcome;
            }
            co_await turn.yield();
        }
    }
    while (!wanted.ask(LoopTurn::steps_a_look)) {
        if (turn.is_over(LoopTurn::steps_a_look)) {
            co_await turn.yield();
        }
    }
    const std::size_t count = calls(wanted);
    while (at < count) {
        const Message message = wanted.commit()[at];
        const auto began = std::chrono::steady_clock::now();
        const Flow flow = co_await call_coroutine(wanted.commit(), message, watchdog);
        const auto ended = std::chrono::steady_clock::now();
        figures_.called_back(ended - began);
        ++at;
        if (flow == Flow::stop) {
            co_return Outcome{at == count, true, wanted.left_out()};
        }
        if (turn.is_over_at(ended) && at < count) {
            co_await turn.yield();
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            co_return Outcome{at == count, false, wanted.left_out()};
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

std::optional<WatcherCore::Outcome> WatcherCore::call_plain(watch::Wanted& wanted, std::size_t& at,
                                                            LoopTurn& turn)
{
    while (!wanted.ask(LoopTurn::steps_a_look)) {
        if (turn.is_over(LoopTurn::steps_a_look)) {
            return std::nullopt;
        }
    }
    if (at > 0 && interrupted_.load(std::memory_order_acquire)) {
        return Outcome{false, false, wanted.left_out()};
    }
    const std::size_t count = calls(wanted);
    auto began = std::chrono::steady_clock::now();
    while (at < count) {
        const Flow flow = call_plain(wanted.commit(), at);
        const auto ended = std::chrono::steady_clock::now();
        figures_.called_back(ended - began);
        if (ended - began > callback_timeout_) {
            throw_timeout();
        }
        began = ended;
        ++at;
        if (flow == Flow::stop) {
            return Outcome{at == count, true, wanted.left_out()};
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            return Outcome{at == count, false, wanted.left_out()};
        }
        if (turn.is_over_at(ended) && at < count) {
            return std::nullopt;
        }
    }
    return Outcome{true, false, wanted.left_out()};
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
