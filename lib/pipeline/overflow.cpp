// SPDX-License-Identifier: BSL-1.0
// What becomes of a watch that is slower than the commits, by its policy.
#include "exception_of.hpp"
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "watch/coalescer.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

void WatcherCore::fall_behind(bool overflowed)
{
    add_alone(figures_.fell_behind, 1);
    if (overflowed && overflow_ == Overflow::stop) {
        finish(std::nullopt, std::make_exception_ptr(
                                 boost::system::system_error(make_error_code(Error::overflow))));
        return;
    }
    follower_.fell_behind();
}

WatcherCore::Incoming WatcherCore::take_entries()
{
    Incoming incoming{inbox.take(), nullptr};
    std::vector<watch::Entry>& entries = incoming.taken.entries;
    std::erase_if(entries, [this](const watch::Entry& entry) {
        return follower_.knows(entry.commit->revision);
    });
    passed(incoming.taken.nothing_up_to);
    if (overflow_ == Overflow::latest) {
        make_newest(incoming);
    }
    return incoming;
}

void WatcherCore::make_newest(Incoming& incoming)
{
    std::vector<watch::Entry>& entries = incoming.taken.entries;
    if (predicate_) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(entries), *predicate_);
        entries = std::move(wanted.entries);
        incoming.error = wanted.error;
        incoming.before_error = wanted.before_error;
    }
    watch::Coalescer newest;
    for (watch::Entry& each : entries) {
        newest.add(std::move(each));
    }
    add_alone(figures_.coalesced, incoming.taken.coalesced + newest.left_out());
    entries = newest.take();
}

asio::awaitable<void> WatcherCore::read_latest(SliceReader& history, Watchdog& watchdog)
{
    watch::Coalescer newest;
    const std::optional<Gathered> gathered = co_await gather_latest(history, newest);
    if (!gathered) {
        co_return;
    }
    add_alone(figures_.coalesced, newest.left_out());
    if (pull_) {
        offer_history(newest.take(), *gathered);
        co_return;
    }
    const std::vector<watch::Entry> entries = newest.take();
    const bool whole = co_await deliver_all(entries, watchdog);
    if (!whole) {
        co_return;
    }
    follower_.read(gathered->reached);
    advanced();
    if (gathered->error) {
        std::rethrow_exception(gathered->error);
    }
    if (gathered->loses) {
        ended_by_loss(*gathered->loses);
    }
}

asio::awaitable<std::optional<WatcherCore::Gathered>> WatcherCore::gather_latest(
    SliceReader& history, watch::Coalescer& newest)
{
    Gathered gathered;
    gathered.reached = follower_.position();
    while (!gathered.is_all() && gathered.reached < follower_.up_to()) {
        const engine::HistorySlice* const slice = co_await read_slice(history, gathered.reached);
        if (interrupted_.load(std::memory_order_acquire)) {
            co_return std::nullopt;
        }
        if (!slice) {
            finish(EndReason::database_closed, nullptr);
            co_return std::nullopt;
        }
        if (slice->compacted) {
            if (gathered.reached == follower_.position()) {
                throw Compacted(gathered.reached + 1, *slice->compacted);
            }
            break;  // what there is comes first
        }
        gathered = gather(newest, *slice);
    }
    co_return gathered;
}

WatcherCore::Gathered WatcherCore::gather(watch::Coalescer& newest,
                                          const engine::HistorySlice& slice)
{
    const watch::Budget& budget = inbox.budget();
    for (const watch::SharedCommit& commit : slice.commits) {
        watch::Selection selection = watch::select(*this, *commit);
        std::vector<watch::Entry> entries;
        if (selection.any) {
            entries.push_back({commit, std::move(selection.selected)});
        }
        if (predicate_) {
            watch::WantedEntries wanted = watch::wanted_of(std::move(entries), *predicate_);
            if (wanted.error) {
                return {wanted.before_error, nullptr, false, wanted.error};
            }
            entries = std::move(wanted.entries);
        }
        for (watch::Entry& each : entries) {
            newest.add(std::move(each));
        }
        if (selection.loses) {
            return {commit->revision, commit, false, nullptr};
        }
        if (!budget.allows(newest.messages(), newest.bytes())) {
            return {commit->revision, nullptr, true, nullptr};
        }
    }
    return {slice.reached, nullptr, false, nullptr};
}

}  // namespace keywatch::pipeline
