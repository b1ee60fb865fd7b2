// SPDX-License-Identifier: BSL-1.0
// Changes the index of selectors, only between two commits. A change that comes while a commit is
// being routed waits until R is that commit.
#include "router.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <exception>
#include <utility>

namespace keywatch::pipeline {

asio::awaitable<Revision> Router::subscribe(SharedWatcher watcher)
{
    // The frame of this coroutine may be destroyed with its context before the strand has its turn.
    const auto joined_at = std::make_shared<Revision>(0);
    if (strand_.is_gone()) {
        fail(Error::closed);
    }
    auto subscribe = [&](async::Waiter waiter) {
        post_change({Change::Kind::subscribe, watcher, std::move(waiter), joined_at});
    };
    co_await async::suspend(subscribe);
    co_return *joined_at;
}

void Router::unsubscribe(SharedWatcher watcher)
{
    post_change({Change::Kind::unsubscribe, std::move(watcher)});
}

void Router::remove(SharedWatcher watcher)
{
    post_change({Change::Kind::remove, std::move(watcher)});
}

void Router::post_change(Change change)
{
    if (strand_.is_gone()) {
        return;
    }
    std::list<Change> one;
    one.push_back(std::move(change));
    strand_.post([self = strand_.share(this), one = std::move(one)]() mutable {
        self->change(std::move(one));
    });
}

void Router::change(std::list<Change> one) noexcept
{
    if (mid_commit_ || !changes_.empty()) {
        changes_.splice(changes_.end(), one);
    } else {
        apply(std::move(one.front()));
    }
}

void Router::apply(Change change) noexcept
{
    WatcherInterface& watcher = *change.watcher;
    if (change.kind == Change::Kind::subscribe) {
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
    if (change.kind == Change::Kind::remove) {
        events_.removed(change.watcher);
    }
}

asio::awaitable<void> Router::apply_changes(async::LoopTurn& turn)
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
