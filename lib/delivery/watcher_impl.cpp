// SPDX-License-Identifier: BSL-1.0
#include "watcher_impl.hpp"

#include "callback_sink.hpp"
#include "cancellable_timer.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::delivery {

namespace {

/// Returns the policy of the inbox. With a predicate, the inbox does not coalesce: a predicate has
/// to be called before that, and not on the pipeline's strand.
Overflow inbox_policy(const WatchOptions& options)
{
    return options.overflow == Overflow::latest && options.filter.predicate ? Overflow::catch_up
                                                                            : options.overflow;
}

std::chrono::milliseconds callback_timeout(const WatchOptions& options)
{
    return std::min<std::chrono::milliseconds>(options.callback_timeout, longest_wait);
}

}  // namespace

WatcherImpl::WatcherImpl(std::shared_ptr<pipeline::Pipeline> pipeline, const Selectors& selectors,
                         WatchCallback callback, const WatchOptions& options, const Position& start)
    : WatcherImpl(std::move(pipeline), selectors, options, start,
                  [&](DeliveryContext& context) -> std::unique_ptr<Sink> {
                      return std::make_unique<CallbackSink>(context, std::move(callback),
                                                            callback_timeout(options));
                  })
{
}

WatcherImpl::WatcherImpl(std::shared_ptr<pipeline::Pipeline> pipeline, const Selectors& selectors,
                         const WatchOptions& options, const Position& start,
                         const MakeSink& make_sink)
    : WatcherInterface(selectors, options.filter, {options.buffer_messages, options.buffer_bytes},
                       inbox_policy(options), pipeline->inbox_bytes()),
      name_(std::make_unique<const std::string>(options.name)),
      id_(pipeline->next_watcher_id()),
      context_(*this, std::move(pipeline), options, start),
      worker_(context_, *this, make_sink(context_), options.from.kind() == From::Kind::snapshot,
              callback_timeout(options))
{
    start_within(start.revision, start.seen_of_next);
}

void WatcherImpl::enter_registry()
{
    context_.pipeline->registry().add(*this);
}

WatcherImpl::~WatcherImpl()
{
    context_.pipeline->registry().remove(*this);
}

std::shared_ptr<WatcherImpl> WatcherImpl::shared()
{
    return std::static_pointer_cast<WatcherImpl>(shared_from_this());
}

// Signals.

template <class Change>
void WatcherImpl::interrupt(Change change)
{
    const bool wake = inbox.signal(change);
    context_.interrupted.store(true, std::memory_order_release);
    const bool handed_back = sink().close();
    if (wake || handed_back) {
        start_worker();
    }
}

void WatcherImpl::request_stop()
{
    interrupt([](watch::Signals& signals) { signals.stop = true; });
}

void WatcherImpl::request_cancel()
{
    interrupt([](watch::Signals& signals) { signals.cancel = true; });
    cancel_worker();
}

void WatcherImpl::close_now()
{
    interrupt([](watch::Signals& signals) { signals.close_now = true; });
    cancel_worker();
}

void WatcherImpl::fail(std::exception_ptr error)
{
    interrupt([&](watch::Signals& signals) { signals.error = error; });
    cancel_worker();
}

template <class Change>
void WatcherImpl::end_at(Revision revision, Change change)
{
    Revision known = end_at_.load();
    while (revision < known && !end_at_.compare_exchange_weak(known, revision)) {
    }
    const bool wake = inbox.signal(change);
    const bool handed_back = sink().hurry();
    if (wake || handed_back) {
        start_worker();
    }
}

void WatcherImpl::close_at(Revision revision)
{
    end_at(revision, [revision](watch::Signals& signals) { signals.close_at = revision; });
}

Revision WatcherImpl::request_drain()
{
    const Revision head = context_.pipeline->engine().durable_head();
    end_at(head, [head](watch::Signals& signals) {
        if (!signals.drain_at) {
            signals.drain_at = head;
        }
    });
    context_.pipeline->router().wake_at(head, weak_from_this());
    return head;
}

void WatcherImpl::wake()
{
    if (inbox.signal([](watch::Signals&) {})) {
        start_worker();
    }
}

// State that other threads may read.

Position WatcherImpl::position() const
{
    const Revision routed = context_.pipeline->router().routed();
    if (const auto through = inbox.up_to_date(routed)) {
        context_.progress.show(*through);
    }
    return context_.progress.position(context_.pipeline->engine().history_id());
}

bool WatcherImpl::waits_for(Revision revision) const
{
    const std::lock_guard lock(mutex());
    return state_ != State::ended &&
           (context_.fsm.begins_at() == revision || context_.progress.revision() == revision ||
            end_at_.load() == revision || context_.waiters.wakes_at(revision));
}

bool WatcherImpl::runs_on(const asio::any_io_executor& executor) const
{
    const std::lock_guard lock(mutex());
    return strand_ && strand_ == executor;
}

bool WatcherImpl::would_reach(std::string_view bucket, std::string_view key) const
{
    const std::lock_guard lock(mutex());
    return state_ == State::running && follows(bucket, key);
}

bool WatcherImpl::was_run() const
{
    const std::lock_guard lock(mutex());
    return ran_;
}

bool WatcherImpl::is_over() const
{
    const std::lock_guard lock(mutex());
    if (error_) {
        std::rethrow_exception(error_);
    }
    return state_ == State::ended;
}

std::optional<EndReason> WatcherImpl::reason() const
{
    const std::lock_guard lock(mutex());
    return reason_;
}

}  // namespace keywatch::delivery
