// SPDX-License-Identifier: BSL-1.0
// Reads batches for the worker of a watch, from the inbox and from history.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "watch/coalescer.hpp"

#include <keywatch/error.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

// The inbox.

WatcherCore::Action WatcherCore::take_inbox(bool is_discarded, Batch& batch)
{
    watch::Inbox::Taken taken = inbox.take();
    std::erase_if(taken.entries,
                  [this](const watch::Entry& entry) { return fsm_.knows(entry.commit->revision); });
    batch.clear();
    watch::DeliveryFsm::InboxTaken report;
    report.nothing_up_to = taken.nothing_up_to;
    report.any = !taken.entries.empty();
    if (!is_discarded) {
        if (overflow_ == Overflow::latest) {
            report.before_error = make_newest(taken, batch.error);
            report.error = batch.error != nullptr;
            report.any = !taken.entries.empty();
        }
        batch.entries = std::move(taken.entries);
        begin_delivery(batch);
    }
    const Action action = fsm_.took(taken.signals, report);
    advanced();
    return action;
}

Revision WatcherCore::make_newest(watch::Inbox::Taken& taken, std::exception_ptr& error)
{
    Revision before_error = 0;
    if (predicate_) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(taken.entries), *predicate_);
        taken.entries = std::move(wanted.entries);
        error = wanted.error;
        before_error = wanted.before_error;
    }
    watch::Coalescer newest;
    for (watch::Entry& each : taken.entries) {
        newest.add(std::move(each));
    }
    add_alone(figures_.coalesced, taken.coalesced + newest.left_out());
    taken.entries = newest.take();
    return before_error;
}

// History.

asio::awaitable<WatcherCore::Action> WatcherCore::read_history(Action action,
                                                               HistoryCursor& history, Batch& batch)
{
    batch.clear();
    HistoryRead read;
    switch (action.how) {
    case How::each:
        read = co_await read_each(action.revision, history, batch);
        break;
    case How::newest:
        read = co_await read_newest(action.revision, history, batch);
        break;
    case How::gap:
        read = co_await read_gap(action.revision, history, batch);
        break;
    }
    read.interrupted = interrupted_.load(std::memory_order_acquire);
    if (!history.is_open()) {
        begin_delivery(batch);
    }
    action = fsm_.history_read(read);
    advanced();
    co_return action;
}

asio::awaitable<const engine::HistorySlice*> WatcherCore::read_slice(HistoryCursor& history,
                                                                     Revision after, Revision up_to)
{
    history.close();
    try {
        // Reads ahead, with two exceptions. A watch that has joined has little left to read, and
        // its inbox holds commits as well. The consumer of a pulled watch receives the slice as a
        // whole, and this worker ends.
        co_return co_await history.reader().next(after, up_to, !pull_ && !fsm_.is_joined());
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
    }
    // Only a watch whose own callback has closed the database gets here: closing waits for every
    // other watch.
    co_return nullptr;
}

WatcherCore::HistoryRead WatcherCore::compacted(Revision after, const engine::HistorySlice& slice,
                                                Batch& batch)
{
    batch.error = std::make_exception_ptr(Compacted(after + 1, *slice.compacted));
    HistoryRead read;
    read.compacted = true;
    return read;
}

asio::awaitable<WatcherCore::HistoryRead> WatcherCore::read_each(Revision up_to,
                                                                 HistoryCursor& history,
                                                                 Batch& batch)
{
    HistoryRead read;
    const engine::HistorySlice* slice = history.rest(up_to);
    if (!slice) {
        const Revision after = fsm_.position();
        slice = co_await read_slice(history, after, up_to);
        if (!slice) {
            read.closed = true;
            co_return read;
        }
        if (slice->compacted) {
            co_return compacted(after, *slice, batch);
        }
        if (pull_) {
            co_return select_each(*slice, batch);
        }
        history.open(*slice);
    }
    read.reached = slice->reached;
    read.any = !history.at_end();
    co_return read;
}

WatcherCore::HistoryRead WatcherCore::select_each(const engine::HistorySlice& slice,
                                                  Batch& batch) const
{
    HistoryRead read;
    read.reached = slice.reached;
    for (const watch::SharedCommit& commit : slice.commits) {
        if (fsm_.knows(commit->revision)) {
            continue;
        }
        watch::Selection selection = watch::select(*this, *commit);
        if (selection.any) {
            batch.entries.push_back({commit, std::move(selection.selected)});
        }
        if (selection.loses) {
            batch.ends_bucket = commit;
            read.ends_bucket = true;
            read.reached = commit->revision;
            break;
        }
    }
    read.any = !batch.entries.empty();
    return read;
}

asio::awaitable<WatcherCore::HistoryRead> WatcherCore::gather(Revision up_to,
                                                              HistoryCursor& history, Batch& batch,
                                                              const Gather& take)
{
    Gathered gathered;
    gathered.read.reached = fsm_.position();
    while (!gathered.is_all && gathered.read.reached < up_to) {
        const Revision after = gathered.read.reached;
        const engine::HistorySlice* const slice = co_await read_slice(history, after, up_to);
        if (interrupted_.load(std::memory_order_acquire)) {
            break;
        }
        if (!slice) {
            gathered.read.closed = true;
            break;
        }
        if (slice->compacted) {
            if (after == fsm_.position()) {
                co_return compacted(after, *slice, batch);
            }
            break;  // what has been read is delivered first
        }
        gathered = take(*slice);
    }
    co_return gathered.read;
}

asio::awaitable<WatcherCore::HistoryRead> WatcherCore::read_newest(Revision up_to,
                                                                   HistoryCursor& history,
                                                                   Batch& batch)
{
    watch::Coalescer newest;
    const Gather coalesce = [&](const engine::HistorySlice& slice) {
        return gather_newest(newest, slice, batch);
    };
    HistoryRead read = co_await gather(up_to, history, batch, coalesce);
    add_alone(figures_.coalesced, newest.left_out());
    batch.entries = newest.take();
    read.any = !batch.entries.empty();
    co_return read;
}

WatcherCore::Gathered WatcherCore::gather_newest(watch::Coalescer& newest,
                                                 const engine::HistorySlice& slice, Batch& batch)
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
                batch.error = wanted.error;
                return {{.reached = wanted.before_error, .error = true}, true};
            }
            entries = std::move(wanted.entries);
        }
        for (watch::Entry& each : entries) {
            newest.add(std::move(each));
        }
        if (selection.loses) {
            batch.ends_bucket = commit;
            return {{.reached = commit->revision, .ends_bucket = true}, true};
        }
        if (!budget.allows(newest.messages(), newest.bytes())) {
            return {{.reached = commit->revision}, true};
        }
    }
    return {{.reached = slice.reached}, false};
}

asio::awaitable<WatcherCore::HistoryRead> WatcherCore::read_gap(Revision up_to,
                                                                HistoryCursor& history,
                                                                Batch& batch)
{
    std::unique_ptr<watch::Marker> gap;
    const Gather skip = [&](const engine::HistorySlice& slice) { return gather_gap(gap, slice); };
    HistoryRead read = co_await gather(up_to, history, batch, skip);
    if (gap && !interrupted_.load(std::memory_order_acquire) && !read.closed && !read.compacted) {
        inbox.skipped(*gap->count);
        batch.entries.push_back({watch::make_marker(*gap), {}});
        read.any = true;
    }
    co_return read;
}

WatcherCore::Gathered WatcherCore::gather_gap(std::unique_ptr<watch::Marker>& gap,
                                              const engine::HistorySlice& slice) const
{
    for (const watch::SharedCommit& commit : slice.commits) {
        const watch::Selection selection = watch::select(*this, *commit);
        if (selection.loses) {
            return {{.reached = commit->previous}, true};  // the end is delivered next
        }
        if (selection.any) {
            watch::leave_out(gap, *commit, selection.messages(*commit));
        }
    }
    return {{.reached = slice.reached}, false};
}

}  // namespace keywatch::pipeline
