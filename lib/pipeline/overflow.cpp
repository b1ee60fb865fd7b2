// SPDX-License-Identifier: BSL-1.0
// What becomes of a watch that is slower than the commits, by its policy.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "watch/coalescer.hpp"

#include <keywatch/error.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

void WatcherCore::fall_behind(bool overflowed)
{
    if (overflowed && caught_up_ && overflow_ == Overflow::stop) {
        finish(std::nullopt, std::make_exception_ptr(boost::system::system_error(
                                 make_error_code(Error::overflow))));
        return;
    }
    caught_up_ = false;
    follower_.fell_behind();
}

watch::Inbox::Taken WatcherCore::take_entries()
{
    watch::Inbox::Taken taken = inbox.take();
    std::erase_if(taken.entries, [this](const watch::Entry& entry) {
        return follower_.knows(entry.commit->revision);
    });
    if (overflow_ == Overflow::latest) {
        taken.entries = watch::coalesce(std::move(taken.entries));
    }
    return taken;
}

asio::awaitable<void> WatcherCore::read_latest(SliceReader& history, Watchdog& watchdog)
{
    watch::Coalescer newest;
    Gathered gathered{follower_.position(), nullptr, false};
    while (!gathered.full && !gathered.loses && gathered.reached < follower_.up_to()) {
        if (interrupted_.load(std::memory_order_acquire)) {
            co_return;
        }
        const engine::HistorySlice* const slice = co_await read_slice(history, gathered.reached);
        if (!slice) {
            finish(EndReason::database_closed, nullptr);
            co_return;
        }
        if (slice->compacted) {
            if (gathered.reached == follower_.position()) {
                throw Compacted(gathered.reached + 1, *slice->compacted);
            }
            break;  // what there is comes first
        }
        gathered = gather(newest, *slice);
    }
    if (pull_) {
        offer_history(newest.take(), gathered.reached, gathered.loses);
        co_return;
    }
    const std::vector<watch::Entry> entries = newest.take();
    const bool whole = co_await deliver_all(entries, watchdog);
    if (whole) {
        follower_.read(gathered.reached);
        advanced();
        if (gathered.loses) {
            ended_by_loss(*gathered.loses);
        }
    }
}

WatcherCore::Gathered WatcherCore::gather(watch::Coalescer& newest,
                                          const engine::HistorySlice& slice) const
{
    const watch::Budget& budget = inbox.budget();
    for (const watch::SharedCommit& commit : slice.commits) {
        watch::Selection selection = watch::select(*this, *commit);
        if (selection.any) {
            newest.add({commit, std::move(selection.selected)});
        }
        if (selection.loses) {
            return {commit->revision, commit, false};
        }
        if (!budget.allows(newest.messages(), newest.bytes())) {
            return {commit->revision, nullptr, true};
        }
    }
    return {slice.reached, nullptr, false};
}

}  // namespace keywatch::pipeline
