// SPDX-License-Identifier: BSL-1.0
// Changes the index of selectors, only between two commits. A change that comes while a commit is
// being routed waits until R is that commit.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <new>
#include <utility>

namespace keywatch::pipeline {

void Pipeline::post_change(Change change)
{
    if (context_gone_) {
        return;
    }
    std::list<Change> one;
    one.push_back(std::move(change));
    asio::post(strand_, [self = shared_from_this(), one = std::move(one)]() mutable {
        self->change(std::move(one));
    });
}

void Pipeline::change(std::list<Change> one) noexcept
{
    if (mid_commit_ || !changes_.empty()) {
        changes_.splice(changes_.end(), one);
    } else {
        apply(std::move(one.front()));
    }
}

void Pipeline::apply(Change change) noexcept
{
    WatcherCore& watcher = *change.watcher;
    if (change.kind == Change::Kind::join) {
        std::exception_ptr error;
        try {
            distributor_.add(change.watcher, running_.size());
        } catch (...) {
            error = std::current_exception();
        }
        *change.joined_at = routed();
        change.waiter.complete(error);
        return;
    }
    distributor_.index().remove(watcher);
    watcher.inbox.drop();
    if (change.kind == Change::Kind::leave) {
        call_off(watcher);
        forget(watcher);
        note_busy_consumer(change.watcher);
        poke_closer();
    }
}

void Pipeline::note_busy_consumer(const std::shared_ptr<WatcherCore>& watcher) noexcept
{
    if (!draining_ || !watcher->consumer_is_busy()) {
        return;
    }
    try {
        busy_consumers_.push_back(watcher);
    } catch (const std::bad_alloc&) {
        // Closing does not wait for this consumer.
    }
}

asio::awaitable<void> Pipeline::apply_changes(LoopTurn& turn)
{
    // Changes that come between two slices are applied after the earlier ones.
    while (!changes_.empty()) {
        std::list<Change> one;
        one.splice(one.end(), changes_, changes_.begin());
        apply(std::move(one.front()));
        if (turn.is_over(1) && !changes_.empty()) {
            co_await turn.yield();
        }
    }
}

}  // namespace keywatch::pipeline
