// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"

#include "published.hpp"

#include "async/spawn.hpp"
#include "async/wait.hpp"
#include "async/waiter.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

namespace keywatch::pipeline {

namespace {

/// The time that cancelled callbacks have to return.
constexpr std::chrono::milliseconds grace{500};
constexpr std::chrono::milliseconds abandon_timeout{10'000};
/// The time for which closing waits for consumers that have received everything and have not asked
/// for more. Commits are still accepted during this time.
constexpr std::chrono::milliseconds moment{50};
/// Number of watches that are notified before other work on the strand has its turn.
constexpr std::size_t slice = 256;

}  // namespace

asio::awaitable<void> Shutdown::close(std::shared_ptr<Shutdown> self,
                                      std::chrono::milliseconds timeout)
{
    const asio::any_io_executor closer = co_await asio::this_coro::executor;
    if (self->strand_.is_gone()) {
        co_return;
    }
    self->add_closer(closer);
    self->begin(timeout);
    co_await async::suspend([&](async::Waiter waiter) { self->closed_->add(std::move(waiter)); });
}

void Shutdown::abandon() noexcept
{
    if (strand_.is_gone()) {
        return;
    }
    try {
        begin(abandon_timeout);
    } catch (const std::bad_alloc&) {
        keep_ = strand_.share(this);
        async::Undelivered::add(*this);
    }
}

bool Shutdown::deliver() noexcept
{
    if (const auto hold = async::ContextLife::Hold(strand_.life())) {
        try {
            begin(abandon_timeout);
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    const std::shared_ptr<Shutdown> self = std::move(keep_);
    return true;
}

void Shutdown::add_closer(const asio::any_io_executor& closer)
{
    // Only the watches that run on this executor are stored. The executor itself may belong to a
    // context that ends before this one.
    std::vector<std::weak_ptr<const WatcherInterface>> own;
    for (const auto& watcher : registry_.all()) {
        if (watcher->runs_on(closer)) {
            own.push_back(watcher);
        }
    }
    strand_.post([self = strand_.share(this), own = std::move(own)] {
        if (!self->stages_stopped_) {
            self->closers_.insert(self->closers_.end(), own.begin(), own.end());
            self->wake();
        }
    });
}

void Shutdown::begin(std::chrono::milliseconds timeout)
{
    if (begun_.exchange(true)) {
        return;
    }
    const auto most = std::min<std::chrono::milliseconds>(timeout, std::chrono::hours{24 * 365});
    try {
        limit(most);
        async::spawn(strand_.executor(), run(strand_.share(this), most), [](std::exception_ptr) {});
    } catch (...) {
        begun_ = false;  // nothing has begun
        throw;
    }
}

/// Performs the steps of closing. If there is no memory for a step, it is repeated until there is.
asio::awaitable<void> Shutdown::run(std::shared_ptr<Shutdown> self,
                                    std::chrono::milliseconds timeout)
{
    Progress progress{Clock::now(), timeout};
    while (progress.step != Progress::Step::closed) {
        try {
            co_await self->do_step(progress);
            progress.step = static_cast<Progress::Step>(static_cast<int>(progress.step) + 1);
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        } catch (...) {
            self->tell_closed(std::current_exception());
            co_return;
        }
    }
    self->tell_closed(progress.done ? nullptr : exception_of(Error::close_timeout));
}

/// Performs one step. If it has thrown, then it may be called again for the same step.
asio::awaitable<void> Shutdown::do_step(Progress& progress)
{
    switch (progress.step) {
    case Progress::Step::finish_commits:
        if (!running_.empty()) {
            co_await finish_queued_commits();
        }
        break;
    case Progress::Step::end_watchers: {
        // Watchers get at least `grace`, or the timeout if that is shorter, even if the
        // transactions took all of the timeout.
        const Clock::time_point deadline = std::max(
            progress.begun + progress.timeout, Clock::now() + std::min(progress.timeout, grace));
        co_await end_watchers(deadline);
        co_await wait_for_consumers(deadline);
        progress.done = watchers_done();
        break;
    }
    case Progress::Step::refuse_commits:
        drained_ = true;
        co_await engine_.drain();
        break;
    case Progress::Step::end_others:
        closers_.clear();
        // The stages are about to stop. A watch that still runs, such as one whose own callback
        // awaits this `close()`, ends at this revision.
        for (const auto& watcher : running_.all()) {
            watcher->close_at(std::min(engine_.durable_head(), router_.routed()));
        }
        co_await end_those_never_run();
        break;
    case Progress::Step::close_engine:
        stages_stopped_ = true;
        router_.stop();
        timekeeper_.stop();
        co_await engine_.close();
        break;
    case Progress::Step::closed:
        break;
    }
}

/// Waits until the transactions that are already queued have finished. New transactions are still
/// accepted, because a callback may await a coroutine that commits. This therefore queues an empty
/// transaction after the others, and waits for it.
asio::awaitable<void> Shutdown::finish_queued_commits()
{
    const engine::TransactionFunction nothing = [](Transaction&) {};
    try {
        co_await engine_.commit(nothing);
    } catch (...) {
        // Writing has failed. What is durable is still delivered.
    }
}

asio::awaitable<void> Shutdown::end_watchers(Clock::time_point deadline)
{
    // Watchers receive at once the revision at which they end. If it has not been routed yet, they
    // are woken when it has.
    const Revision head = engine_.durable_head();
    running_.close();
    const Tell end_at_head = [&](const SharedWatcher& watcher) {
        watcher->close_at(head);
        router_.wake_at(head, watcher);
    };
    co_await tell_running(end_at_head);
    co_await wait_for_watchers(deadline);
    if (watchers_done()) {
        co_return;
    }
    const Tell end_now = [](const SharedWatcher& watcher) { watcher->close_now(); };
    co_await tell_running(end_now);
    co_await wait_for_watchers(Clock::now() + grace);
}

asio::awaitable<void> Shutdown::tell_running(const Tell& tell)
{
    const auto watchers = running_.all();  // between two slices, watches may end, but none begins
    for (std::size_t i = 0; i < watchers.size(); ++i) {
        tell(watchers[i]);
        if ((i + 1) % slice == 0) {
            co_await async::yield();
        }
    }
}

asio::awaitable<void> Shutdown::wait_for_watchers(Clock::time_point deadline)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const Published published(timer_, timer);
    while (!watchers_done() && Clock::now() < deadline) {
        timer.expires_at(deadline);
        co_await async::wait(timer);
    }
}

/// Waits for the consumers that have received everything and may still process their last commit,
/// so that they can begin the transactions that result from it. Such a consumer delays closing by
/// `moment` at most.
asio::awaitable<void> Shutdown::wait_for_consumers(Clock::time_point deadline)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const Published published(timer_, timer);
    deadline = std::min(deadline, Clock::now() + moment);
    while (true) {
        std::erase_if(busy_consumers_, [](const auto& each) {
            const auto watcher = each.lock();
            return !watcher || !watcher->consumer_is_busy();
        });
        if (busy_consumers_.empty() || Clock::now() >= deadline) {
            break;
        }
        timer.expires_at(deadline);
        co_await async::wait(timer);
    }
    busy_consumers_.clear();
}

void Shutdown::consumer_asked() noexcept
{
    if (strand_.is_gone()) {
        return;
    }
    try {
        strand_.post([self = strand_.share(this)] { self->wake(); });
    } catch (const std::bad_alloc&) {
        // Closing then waits for the whole `moment`.
    }
}

void Shutdown::removed(const SharedWatcher& watcher) noexcept
{
    if (running_.is_closed() && watcher->consumer_is_busy()) {
        try {
            busy_consumers_.push_back(watcher);
        } catch (const std::bad_alloc&) {
            // Closing does not wait for this consumer.
        }
    }
    wake();
}

void Shutdown::context_shutdown() noexcept
{
    begun_ = true;
    drained_ = true;
    tell_closed(exception_of(Error::closed));
}

asio::awaitable<void> Shutdown::end_those_never_run()
{
    // A watch that is created, or waited for, after the registry was read here sees that the
    // database closes.
    const auto watchers = registry_.all();
    for (std::size_t i = 0; i < watchers.size(); ++i) {
        watchers[i]->database_closed();
        if ((i + 1) % slice == 0) {
            co_await async::yield();
        }
    }
}

bool Shutdown::watchers_done() const
{
    // A watch whose own callback awaits the closing is not waited for.
    return std::ranges::all_of(running_.all(), [this](const auto& each) {
        return std::ranges::any_of(closers_,
                                   [&](const auto& closer) { return closer.lock() == each; });
    });
}

void Shutdown::wake() noexcept
{
    if (timer_) {
        timer_->cancel();
    }
}

}  // namespace keywatch::pipeline
