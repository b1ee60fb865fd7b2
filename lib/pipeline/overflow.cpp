// SPDX-License-Identifier: BSL-1.0
// What becomes of a watch that is slower than the commits, by its policy.
#include "exception_of.hpp"
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "watch/coalescer.hpp"

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

void WatcherCore::fall_behind(bool full, bool overflowed)
{
    if (overflowed && overflow_ == Overflow::stop && !is_ending()) {
        finish(std::nullopt, exception_of(Error::overflow));
        return;
    }
    goes_away(full && !overflowed);
}

void WatcherCore::goes_away(bool by_itself)
{
    follower_.fell_behind(by_itself);
    show_phase();
}

void WatcherCore::show_phase() noexcept
{
    live_.store(follower_.live(), std::memory_order_relaxed);
    away_.store(!follower_.joined(), std::memory_order_relaxed);
    bears_.store(follower_.bears(), std::memory_order_relaxed);
}

bool WatcherCore::has_overflowed(const watch::Inbox::Level& level) const noexcept
{
    if (overflow_ != Overflow::stop && overflow_ != Overflow::skip) {
        return false;
    }
    const Revision position = position_.load();
    const Revision routed = pipeline_->routed();
    const bool too_far = routed > position && routed - position > bears_.load();
    const bool away = away_.load() && !level.fell_behind;
    return level.overflowed || (too_far && (away || level.full));
}

bool WatcherCore::gives_up() const noexcept
{
    return !is_ending() && follower_.too_slow() &&
           (overflow_ == Overflow::stop || overflow_ == Overflow::skip);
}

asio::awaitable<void> WatcherCore::give_up(SliceReader& history, Watchdog& watchdog)
{
    if (overflow_ == Overflow::stop) {
        finish(std::nullopt, exception_of(Error::overflow));
    } else {
        co_await skip_history(history, watchdog);
    }
}

Incoming WatcherCore::take_entries()
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
    const Gather coalesce = [&](const engine::HistorySlice& slice) {
        return gather_latest(newest, slice);
    };
    const std::optional<Gathered> gathered = co_await gather(history, coalesce);
    if (!gathered) {
        co_return;
    }
    add_alone(figures_.coalesced, newest.left_out());
    std::vector<watch::Entry> entries = newest.take();
    co_await deliver_gathered(std::move(entries), *gathered, watchdog);
}

asio::awaitable<void> WatcherCore::skip_history(SliceReader& history, Watchdog& watchdog)
{
    std::unique_ptr<watch::Marker> gap;
    const Gather skip = [&](const engine::HistorySlice& slice) { return gather_gap(gap, slice); };
    const std::optional<Gathered> gathered = co_await gather(history, skip);
    if (!gathered) {
        co_return;
    }
    follower_.skipped();
    std::vector<watch::Entry> entries;
    if (gap) {
        inbox.skipped(*gap->count);
        entries.push_back({watch::make_marker(*gap), {}});
    }
    co_await deliver_gathered(std::move(entries), *gathered, watchdog);
}

asio::awaitable<void> WatcherCore::deliver_gathered(std::vector<watch::Entry> entries,
                                                    const Gathered& gathered, Watchdog& watchdog)
{
    if (pull_) {
        offer_history(std::move(entries), gathered);
        co_return;
    }
    Delivery delivery;
    delivery.incoming.taken.entries = std::move(entries);
    begin_delivery(delivery.incoming.taken.entries);
    const bool whole = co_await deliver_all(delivery, watchdog);
    if (!whole) {
        co_return;
    }
    follower_.read(gathered.reached);
    advanced();
    if (gathered.error) {
        std::rethrow_exception(gathered.error);
    }
    if (gathered.loses) {
        ended_by_loss(*gathered.loses, {});
    }
}

asio::awaitable<std::optional<WatcherCore::Gathered>> WatcherCore::gather(SliceReader& history,
                                                                          const Gather& take)
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
        gathered = take(*slice);
    }
    co_return gathered;
}

WatcherCore::Gathered WatcherCore::gather_gap(std::unique_ptr<watch::Marker>& gap,
                                              const engine::HistorySlice& slice) const
{
    for (const watch::SharedCommit& commit : slice.commits) {
        const watch::Selection selection = watch::select(*this, *commit);
        if (selection.loses) {
            return {commit->previous, nullptr, true, nullptr};  // the next thing to be delivered
        }
        if (selection.any) {
            watch::leave_out(gap, *commit, selection.messages(*commit));
        }
    }
    return {slice.reached, nullptr, false, nullptr};
}

WatcherCore::Gathered WatcherCore::gather_latest(watch::Coalescer& newest,
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
