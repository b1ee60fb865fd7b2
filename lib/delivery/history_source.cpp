// SPDX-License-Identifier: BSL-1.0
#include "history_source.hpp"

#include "values/counter.hpp"
#include "watch/marker.hpp"
#include "watch/subscription.hpp"
#include "watch/wanted.hpp"

#include <keywatch/error.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace keywatch::delivery {

namespace {

SliceLimits limits_of(const DeliveryContext& context, bool keeps_batches)
{
    const Budget& budget = context.watch.inbox.budget();
    // A sink that keeps commits, or coalescing, would keep the memory of the whole slice alive.
    const bool together = !keeps_batches && context.overflow != Overflow::latest;
    return {budget.messages, budget.bytes, together};
}

}  // namespace

HistorySource::HistorySource(DeliveryContext& context, bool keeps_batches)
    : context_(context),
      keeps_batches_(keeps_batches),
      reader_(context.pipeline->engine(), limits_of(context, keeps_batches))
{
}

asio::awaitable<HistorySource::Read> HistorySource::read(Action action, Batch& batch)
{
    batch.clear();
    Read read;
    switch (action.how) {
    case watch::DeliveryFsm::How::each:
        read = co_await read_each(action.revision, batch);
        break;
    case watch::DeliveryFsm::How::newest:
        read = co_await read_newest(action.revision, batch);
        break;
    case watch::DeliveryFsm::How::gap:
        read = co_await read_gap(action.revision, batch);
        break;
    }
    read.interrupted = context_.is_interrupted();
    co_return read;
}

const HistorySlice* HistorySource::rest(Revision up_to) const noexcept
{
    return slice_ && !at_end() && slice_->reached <= up_to ? slice_ : nullptr;
}

asio::awaitable<const HistorySlice*> HistorySource::read_slice(Revision after, Revision up_to)
{
    close();
    try {
        // Reads ahead, with two exceptions. A watch that has joined has little left to read, and
        // its inbox holds commits as well. The consumer of a pulled watch receives the slice as a
        // whole, and this worker ends.
        co_return co_await reader_.next(after, up_to, !keeps_batches_ && !context_.fsm.is_joined());
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
    }
    // Only a watch whose own callback has closed the database gets here: closing waits for every
    // other watch.
    co_return nullptr;
}

HistorySource::Read HistorySource::compacted(Revision after, const HistorySlice& slice,
                                             Batch& batch)
{
    batch.error = std::make_exception_ptr(Compacted(after + 1, *slice.compacted));
    Read read;
    read.compacted = true;
    return read;
}

asio::awaitable<HistorySource::Read> HistorySource::read_each(Revision up_to, Batch& batch)
{
    Read read;
    const HistorySlice* slice = rest(up_to);
    if (!slice) {
        const Revision after = context_.fsm.position();
        slice = co_await read_slice(after, up_to);
        if (!slice) {
            read.closed = true;
            co_return read;
        }
        if (slice->compacted) {
            co_return compacted(after, *slice, batch);
        }
        if (keeps_batches_) {
            co_return select_each(*slice, batch);
        }
        slice_ = slice;
        next_ = 0;
    }
    read.reached = slice->reached;
    read.any = !at_end();
    co_return read;
}

HistorySource::Read HistorySource::select_each(const HistorySlice& slice, Batch& batch) const
{
    Read read;
    read.reached = slice.reached;
    for (const SharedCommit& commit : slice.commits) {
        if (context_.fsm.knows(commit->revision)) {
            continue;
        }
        watch::Selection selection = watch::select(context_.watch, *commit);
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

asio::awaitable<HistorySource::Read> HistorySource::gather(Revision up_to, Batch& batch,
                                                           const Gather& take)
{
    Gathered gathered;
    gathered.read.reached = context_.fsm.position();
    while (!gathered.is_all && gathered.read.reached < up_to) {
        const Revision after = gathered.read.reached;
        const HistorySlice* const slice = co_await read_slice(after, up_to);
        if (context_.is_interrupted()) {
            break;
        }
        if (!slice) {
            gathered.read.closed = true;
            break;
        }
        if (slice->compacted) {
            if (after == context_.fsm.position()) {
                co_return compacted(after, *slice, batch);
            }
            break;  // what has been read is delivered first
        }
        gathered = take(*slice);
    }
    co_return gathered.read;
}

asio::awaitable<HistorySource::Read> HistorySource::read_newest(Revision up_to, Batch& batch)
{
    watch::Coalescer newest;
    const Gather coalesce = [&](const HistorySlice& slice) {
        return gather_newest(newest, slice, batch);
    };
    Read read = co_await gather(up_to, batch, coalesce);
    add_alone(context_.figures.coalesced, newest.left_out());
    batch.entries = newest.take();
    read.any = !batch.entries.empty();
    co_return read;
}

HistorySource::Gathered HistorySource::gather_newest(watch::Coalescer& newest,
                                                     const HistorySlice& slice, Batch& batch)
{
    const Budget& budget = context_.watch.inbox.budget();
    for (const SharedCommit& commit : slice.commits) {
        watch::Selection selection = watch::select(context_.watch, *commit);
        std::vector<watch::Entry> entries;
        if (selection.any) {
            entries.push_back({commit, std::move(selection.selected)});
        }
        if (const watch::Predicate* const predicate = context_.predicate_before_coalescing()) {
            watch::WantedEntries wanted = watch::wanted_of(std::move(entries), *predicate);
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

asio::awaitable<HistorySource::Read> HistorySource::read_gap(Revision up_to, Batch& batch)
{
    std::unique_ptr<watch::Marker> gap;
    const Gather skip = [&](const HistorySlice& slice) { return gather_gap(gap, slice); };
    Read read = co_await gather(up_to, batch, skip);
    if (gap && !context_.is_interrupted() && !read.closed && !read.compacted) {
        context_.watch.inbox.skipped(*gap->count);
        batch.entries.push_back({watch::make_marker(*gap), {}});
        read.any = true;
    }
    co_return read;
}

HistorySource::Gathered HistorySource::gather_gap(std::unique_ptr<watch::Marker>& gap,
                                                  const HistorySlice& slice) const
{
    for (const SharedCommit& commit : slice.commits) {
        const watch::Selection selection = watch::select(context_.watch, *commit);
        if (selection.loses) {
            return {{.reached = commit->previous}, true};  // the end is delivered next
        }
        if (selection.any) {
            watch::leave_out(gap, *commit, selection.messages(*commit));
        }
    }
    return {{.reached = slice.reached}, false};
}

}  // namespace keywatch::delivery
