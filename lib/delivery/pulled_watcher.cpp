// SPDX-License-Identifier: BSL-1.0
#include "pulled_watcher.hpp"

#include "pipeline/counters.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <exception>
#include <utility>

namespace keywatch::delivery {

namespace {

/// Lets one consumer wait at a time. If another one is waiting, throws `already_running`.
class OnlyOne {
public:
    explicit OnlyOne(std::atomic<bool>& waiting) : waiting_(waiting)
    {
        if (waiting_.exchange(true)) {
            fail(Error::already_running);
        }
    }
    OnlyOne(const OnlyOne&) = delete;
    OnlyOne& operator=(const OnlyOne&) = delete;
    ~OnlyOne() { waiting_.store(false); }

private:
    std::atomic<bool>& waiting_;
};

}  // namespace

PulledWatcher::PulledWatcher(std::shared_ptr<pipeline::Pipeline> pipeline,
                             const Selectors& selectors, const WatchOptions& options,
                             const Position& start)
    : WatcherImpl(std::move(pipeline), selectors, options, start,
                  [](DeliveryContext& context) { return std::make_unique<PullSink>(context); })
{
}

asio::awaitable<bool> PulledWatcher::wait(std::shared_ptr<PulledWatcher> self)
{
    const OnlyOne only_one(self->waiting_);
    self->begin_once();
    while (true) {
        const watch::Outbox::Answer answer = self->pull_sink().outbox().look();
        self->apply(answer);
        if (answer.there) {
            co_return true;
        }
        if (self->is_over()) {
            co_return false;
        }
        const auto wait_for_more = [&](async::Waiter waiter) {
            // The list is copied first: once the waiter is in the list, another thread may resume
            // the coroutine and end it.
            const std::shared_ptr<async::WaiterList> batches = self->pull_sink().batches();
            batches->add(std::move(waiter), answer.batches + 1);
        };
        co_await async::suspend(wait_for_more);
    }
}

void PulledWatcher::begin_once()
{
    if (was_run()) {
        return;
    }
    begin();
    try {
        context().pipeline->add_running(shared_from_this());
    } catch (...) {
        reject(std::current_exception());
        throw;
    }
}

watch::Outbox::Answer PulledWatcher::take()
{
    watch::Outbox::Answer answer = pull_sink().outbox().take();
    apply(answer);
    return answer;
}

void PulledWatcher::apply(const watch::Outbox::Answer& answer)
{
    DeliveryContext& shared = context();
    if (answer.within.seen != 0) {
        shared.progress.move_within(answer.within);
    }
    shared.progress.raise(answer.delivered);
    if (answer.messages != 0) {
        pipeline::Tally(shared.pipeline->counters()).delivered(answer.messages);
        shared.figures.delivered(answer.messages);
        if (shared.pipeline->shutdown().has_begun()) {
            shared.pipeline->shutdown().consumer_asked();
        }
    }
    shared.waiters.reach(answer.delivered);
    if (answer.handed_back) {
        start_worker();
    }
}

std::optional<WatchEnd> PulledWatcher::ended() const
{
    const std::optional<EndReason> ended = reason();
    return ended ? std::optional(WatchEnd{*ended, position()}) : std::nullopt;
}

}  // namespace keywatch::delivery
