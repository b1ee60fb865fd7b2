// SPDX-License-Identifier: BSL-1.0
// Who is in the index of selectors changes between two commits only: what comes while a commit is
// being routed waits until R is that commit.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace keywatch::pipeline {

void Pipeline::post_change(Change change)
{
    if (context_gone_) {
        return;
    }
    asio::post(strand_, [self = shared_from_this(), change = std::move(change)]() mutable {
        self->change(std::move(change));
    });
}

void Pipeline::change(Change change)
{
    if (mid_commit_ || !changes_.empty()) {
        changes_.push_back(std::move(change));
    } else {
        apply(std::move(change));
    }
}

void Pipeline::apply(Change change)
{
    WatcherCore& watcher = *change.watcher;
    if (change.kind == Change::Kind::join) {
        distributor_.index().add(change.watcher);
        *change.joined_at = routed();
        change.waiter.complete();
        return;
    }
    distributor_.index().remove(watcher);
    watcher.inbox.drop();
    if (change.kind == Change::Kind::leave) {
        call_off(watcher);
        forget(watcher);
        if (draining_ && watcher.consumer_is_busy()) {
            busy_consumers_.push_back(change.watcher);
        }
        poke_closer();
    }
}

asio::awaitable<void> Pipeline::apply_changes(LoopTurn& turn)
{
    // More may come between two slices, and are applied in their turn.
    for (; next_change_ < changes_.size(); ++next_change_) {
        apply(std::move(changes_[next_change_]));
        if (turn.is_over(1)) {
            co_await turn.yield();
        }
    }
    changes_ = std::vector<Change>();
    next_change_ = 0;
}

}  // namespace keywatch::pipeline
