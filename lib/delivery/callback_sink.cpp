// SPDX-License-Identifier: BSL-1.0
#include "callback_sink.hpp"

#include "async/loop_turn.hpp"
#include "watch/subscription.hpp"

#include <stdexcept>
#include <utility>

namespace keywatch::delivery {

using pipeline::Tally;

CallbackSink::CallbackSink(DeliveryContext& context, WatchCallback callback,
                           std::chrono::milliseconds timeout)
    : context_(context), invoker_(context, std::move(callback), timeout)
{
}

std::optional<Sink::Action> CallbackSink::deliver_in_place(Batch& batch)
{
    if (!invoker_.is_plain() || !deliver_plain(batch)) {
        return std::nullopt;
    }
    const Action action = context_.fsm.delivered();
    context_.advanced();
    return action;
}

bool CallbackSink::deliver_plain(Batch& batch)
{
    async::LoopTurn turn;
    Tally tally(context_.pipeline->counters());
    while (batch.next < batch.entries.size()) {
        const watch::Entry& entry = batch.entries[batch.next];
        context_.fsm.passed(entry.follows());
        context_.advanced();
        const Commit commit = commit_of(entry);
        watch::Wanted wanted(commit, context_.predicate_at_delivery(), 0);
        std::size_t at = 0;
        const std::optional<Outcome> outcome = invoker_.call_plain(wanted, at, turn);
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

asio::awaitable<Sink::Action> CallbackSink::deliver(HistorySource& history, Batch& batch,
                                                    Watchdog& watchdog)
{
    // A slice has no entries. It may still be open when a batch is delivered, such as a marker.
    if (history.is_open() && batch.entries.empty()) {
        co_await deliver_slice(history, batch, watchdog);
    } else {
        co_await deliver_batch(batch, watchdog);
    }
    const Action action = context_.fsm.delivered();
    context_.advanced();
    co_return action;
}

asio::awaitable<void> CallbackSink::deliver_batch(Batch& batch, Watchdog& watchdog)
{
    Tally tally(context_.pipeline->counters());
    async::LoopTurn& turn = watchdog.turn();
    while (batch.next < batch.entries.size()) {
        if (turn.was_over()) {
            co_await turn.yield();
        }
        if (batch.next > 0 && !batch.begun && context_.is_interrupted()) {
            context_.fsm.break_off();
            break;
        }
        const Commit commit = commit_of(batch.entries[batch.next]);
        const Outcome outcome = co_await deliver_next(batch, commit, watchdog);
        if (!settle_next(batch, commit, outcome, tally)) {
            break;
        }
    }
}

asio::awaitable<Outcome> CallbackSink::deliver_next(Batch& batch, const Commit& commit,
                                                    Watchdog& watchdog)
{
    if (batch.begun) {
        watch::Wanted begun = std::move(*batch.begun);
        batch.begun.reset();
        return invoker_.call(std::move(begun), batch.messages, watchdog);
    }
    context_.fsm.passed(batch.entries[batch.next].follows());
    context_.advanced();
    return deliver_commit(commit, watchdog);
}

bool CallbackSink::settle_next(Batch& batch, const Commit& commit, Outcome outcome, Tally& tally)
{
    const watch::Entry& entry = batch.entries[batch.next];
    const Revision through = watch::position_after(batch.entries, batch.next);
    if (!settle(commit, through, outcome, entry.messages(), tally)) {
        return false;
    }
    if (entry.loses) {
        context_.watch.lose_buckets(*entry.commit,
                                    entry.selected);  // the victim collector signals the end
    }
    ++batch.next;
    return true;
}

asio::awaitable<void> CallbackSink::deliver_slice(HistorySource& history, Batch& batch,
                                                  Watchdog& watchdog)
{
    Tally tally(context_.pipeline->counters());
    async::LoopTurn& turn = watchdog.turn();
    for (; !history.at_end(); history.advance()) {
        if (turn.was_over()) {
            co_await turn.yield();
        }
        if (context_.is_interrupted()) {
            context_.fsm.break_off();
            co_return;
        }
        const SharedCommit& commit = history.commit();
        if (context_.fsm.knows(commit->revision)) {
            continue;
        }
        watch::Selecting selecting(context_.watch, *commit);
        while (!selecting.advance(async::LoopTurn::steps_a_look)) {
            if (turn.is_over(async::LoopTurn::steps_a_look)) {
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
        context_.fsm.passed(commit->revision);
        context_.advanced();
        if (selection.loses) {
            batch.ends_bucket = commit;
            context_.fsm.ends_bucket_at(commit->revision);
            history.advance();
            co_return;
        }
    }
}

bool CallbackSink::settle(const Commit& commit, Revision through, Outcome outcome,
                          std::size_t messages, Tally& tally)
{
    if (outcome.whole) {
        if (commit.seen() != 0 && through == commit.revision()) {
            context_.progress.move_within({through, commit.previous(), commit.seen()});
        }
        if (messages > outcome.left_out) {
            tally.delivered(messages - outcome.left_out);
            context_.figures.delivered(messages - outcome.left_out);
        }
    }
    const bool goes_on =
        context_.fsm.entry_done(through, outcome.whole, outcome.stop, context_.is_interrupted());
    context_.advanced();
    if (outcome.whole && context_.pace) {
        context_.pace->delivered(Pace::Clock::now());
    }
    return goes_on;
}

asio::awaitable<Outcome> CallbackSink::deliver_commit(Commit offered, Watchdog& watchdog)
{
    return invoker_.call(watch::Wanted(offered, context_.predicate_at_delivery(), 0), 0, watchdog);
}

Sink::Action CallbackSink::take_back(Batch&)
{
    throw std::logic_error("a callback keeps no batch");
}

Commit CallbackSink::commit_of(const watch::Entry& entry) const
{
    return {*entry.commit, entry.selected.empty() ? nullptr : &entry.selected,
            entry.since.empty() ? nullptr : &entry.since,
            context_.watch.seen_of(*entry.commit, entry.selected)};
}

Commit CallbackSink::commit_of(const CommitRecord& record,
                               const std::vector<std::uint32_t>& selected) const
{
    return {record, selected.empty() ? nullptr : &selected, nullptr,
            context_.watch.seen_of(record, selected)};
}

}  // namespace keywatch::delivery
