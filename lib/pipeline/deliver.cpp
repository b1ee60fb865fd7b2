// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>
#include <variant>

namespace keywatch::pipeline {

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

std::optional<WatcherCore::Action> WatcherCore::deliver_in_place(Batch& batch)
{
    if (pull_) {
        return offer(batch);
    }
    if (!is_plain() || !deliver_plain(batch)) {
        return std::nullopt;
    }
    const Action action = fsm_.delivered();
    advanced();
    return action;
}

bool WatcherCore::deliver_plain(Batch& batch)
{
    LoopTurn turn;
    Tally tally(pipeline_->counters());
    while (batch.next < batch.entries.size()) {
        const watch::Entry& entry = batch.entries[batch.next];
        fsm_.passed(entry.follows());
        advanced();
        const Commit commit = commit_of(entry);
        watch::Wanted wanted(commit, predicate_at_delivery(), 0);
        std::size_t at = 0;
        const std::optional<Outcome> outcome = call_plain(wanted, at, turn);
        if (!outcome) {
            batch.begun.emplace(std::move(wanted));
            batch.messages = at;
            return false;
        }
        if (!settle_next(batch, commit, *outcome, tally)) {
            break;
        }
        if (turn.was_over() && batch.next < batch.entries.size()) {
            return false;
        }
    }
    return true;
}

asio::awaitable<WatcherCore::Action> WatcherCore::deliver(HistoryCursor& history, Batch& batch,
                                                          Watchdog& watchdog)
{
    if (pull_) {
        co_return offer(batch);
    }
    // A slice has no entries. It may still be open when a batch is delivered, such as a marker.
    if (history.is_open() && batch.entries.empty()) {
        co_await deliver_slice(history, batch, watchdog);
    } else {
        co_await deliver_batch(batch, watchdog);
    }
    const Action action = fsm_.delivered();
    advanced();
    co_return action;
}

asio::awaitable<void> WatcherCore::deliver_batch(Batch& batch, Watchdog& watchdog)
{
    Tally tally(pipeline_->counters());
    LoopTurn& turn = watchdog.turn();
    while (batch.next < batch.entries.size()) {
        if (turn.was_over()) {
            co_await turn.yield();
        }
        if (batch.next > 0 && !batch.begun && interrupted_.load(std::memory_order_acquire)) {
            fsm_.break_off();
            break;
        }
        const Commit commit = commit_of(batch.entries[batch.next]);
        const Outcome outcome = co_await deliver_next(batch, commit, watchdog);
        if (!settle_next(batch, commit, outcome, tally)) {
            break;
        }
    }
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver_next(Batch& batch, const Commit& commit,
                                                                Watchdog& watchdog)
{
    if (batch.begun) {
        watch::Wanted begun = std::move(*batch.begun);
        batch.begun.reset();
        return deliver_from(std::move(begun), batch.messages, watchdog);
    }
    fsm_.passed(batch.entries[batch.next].follows());
    advanced();
    return deliver_commit(commit, watchdog);
}

bool WatcherCore::settle_next(Batch& batch, const Commit& commit, Outcome outcome, Tally& tally)
{
    const watch::Entry& entry = batch.entries[batch.next];
    const Revision through = watch::position_after(batch.entries, batch.next);
    if (!settle(commit, through, outcome, entry.messages(), tally)) {
        return false;
    }
    if (entry.loses) {
        lose_buckets(*entry.commit, entry.selected);  // the victim collector signals the end
    }
    ++batch.next;
    return true;
}

asio::awaitable<void> WatcherCore::deliver_slice(HistoryCursor& history, Batch& batch,
                                                 Watchdog& watchdog)
{
    Tally tally(pipeline_->counters());
    LoopTurn& turn = watchdog.turn();
    for (; !history.at_end(); history.advance()) {
        if (turn.was_over()) {
            co_await turn.yield();
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            fsm_.break_off();
            co_return;
        }
        const watch::SharedCommit& commit = history.commit();
        if (fsm_.knows(commit->revision)) {
            continue;
        }
        watch::Selecting selecting(*this, *commit);
        while (!selecting.advance(LoopTurn::steps_a_look)) {
            if (turn.is_over(LoopTurn::steps_a_look)) {
                co_await turn.yield();
            }
        }
        turn.is_over(1);
        const watch::Selection selection = selecting.take();
        if (selection.any) {
            const Commit given = commit_of(*commit, selection.selected);
            const Outcome outcome = co_await deliver_commit(given, watchdog);
            if (!settle(given, commit->revision, outcome, selection.messages(*commit), tally)) {
                co_return;
            }
        }
        fsm_.passed(commit->revision);
        advanced();
        if (selection.loses) {
            batch.ends_bucket = commit;
            fsm_.ends_bucket_at(commit->revision);
            history.advance();
            co_return;
        }
    }
}

bool WatcherCore::settle(const Commit& commit, Revision through, Outcome outcome,
                         std::size_t messages, Tally& tally)
{
    if (outcome.whole) {
        if (commit.seen() != 0 && through == commit.revision()) {
            move_within({through, commit.previous(), commit.seen()});
        }
        if (messages > outcome.left_out) {
            tally.delivered(messages - outcome.left_out);
            figures_.delivered(messages - outcome.left_out);
        }
    }
    const bool goes_on = fsm_.entry_done(through, outcome.whole, outcome.stop,
                                         interrupted_.load(std::memory_order_acquire));
    advanced();
    if (outcome.whole && pace_) {
        pace_->delivered(Pace::Clock::now());
    }
    return goes_on;
}

asio::awaitable<WatcherCore::Outcome> WatcherCore::deliver_commit(Commit offered,
                                                                  Watchdog& watchdog)
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
