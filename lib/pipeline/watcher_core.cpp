// SPDX-License-Identifier: BSL-1.0
#include "watcher_core.hpp"

#include "alarm.hpp"
#include "pipeline.hpp"

#include "async/small_strand.hpp"
#include "values/failure.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::pipeline {

namespace {

std::unique_ptr<const watch::Predicate> predicate_of(const Filter& filter)
{
    return filter.predicate ? std::make_unique<const watch::Predicate>(filter.predicate) : nullptr;
}

/// Returns the policy of the inbox. With a predicate, the inbox does not coalesce: a predicate has
/// to be called before that, and not on the pipeline's strand.
Overflow inbox_policy(const WatchOptions& options)
{
    return options.overflow == Overflow::latest && options.filter.predicate ? Overflow::catch_up
                                                                            : options.overflow;
}

/// Returns true if nothing has been committed after the start of a watch that is being created.
bool is_at_present(const From& from, Revision start, Pipeline& pipeline)
{
    return from.kind() == From::Kind::now ||
           (from.kind() != From::Kind::snapshot && start >= pipeline.engine().durable_head());
}

watch::DeliveryFsm::Config machine_of(const WatchOptions& options, const Position& start,
                                      Pipeline& pipeline)
{
    watch::DeliveryFsm::Config config;
    config.start = start.revision;
    config.near = options.buffer_messages;
    config.overflow = options.overflow;
    config.at_present = is_at_present(options.from, start.revision, pipeline);
    config.within_next = start.seen_of_next != 0;
    config.paced = Pace::is_needed(options);
    config.from_state = options.from.kind() == From::Kind::snapshot;
    return config;
}

}  // namespace

WatcherCore::WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                         WatchCallback callback, const WatchOptions& options, const Position& start)
    : WatcherCore(std::move(pipeline), selectors, std::move(callback), options, start, nullptr)
{
}

WatcherCore::WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                         WatchCallback callback, const WatchOptions& options, const Position& start,
                         std::unique_ptr<Pull> pull)
    : Subscription(selectors, options.filter, {options.buffer_messages, options.buffer_bytes},
                   inbox_policy(options), pipeline->inbox_bytes()),
      pipeline_(std::move(pipeline)),
      name_(std::make_unique<const std::string>(options.name)),
      id_(pipeline_->next_watcher_id()),
      callback_timeout_(
          std::min<std::chrono::milliseconds>(options.callback_timeout, longest_wait)),
      overflow_(options.overflow),
      pull_(std::move(pull)),
      position_(start.revision),
      callback_(std::move(callback)),
      predicate_(predicate_of(options.filter)),
      fsm_(machine_of(options, start, *pipeline_)),
      pace_(Pace::of(options)),
      start_state_(options.from.kind() == From::Kind::snapshot ? std::make_unique<StateStart>()
                                                               : nullptr),
      within_{start.revision, start.revision, start.seen_of_next}
{
    start_within(start.revision, start.seen_of_next);
}

void WatcherCore::enter_registry()
{
    pipeline_->registry().add(*this);
}

WatcherCore::~WatcherCore()
{
    pipeline_->registry().remove(*this);
}

/// A local variable of run(). If it is destroyed before the watch has ended, then the context of
/// run() is being destroyed.
class WatcherCore::RunFrame {
public:
    explicit RunFrame(WatcherCore& core) : core_(core) {}
    RunFrame(const RunFrame&) = delete;
    RunFrame& operator=(const RunFrame&) = delete;
    ~RunFrame() { core_.run_is_destroyed(); }

private:
    WatcherCore& core_;
};

asio::awaitable<WatchEnd> WatcherCore::run(std::shared_ptr<WatcherCore> self)
{
    // Cancellation ends the watch with a value, so no suspension in here may throw it.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    self->begin();
    const RunFrame frame(*self);
    if (cancelled != asio::cancellation_type::none) {
        self->request_cancel();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    std::exception_ptr error;
    try {
        co_await async::suspend(
            [&](async::Waiter waiter) { self->start(std::move(waiter), executor); });
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (error) {
        std::rethrow_exception(error);
    }
    co_return WatchEnd{*self->reason_, self->position()};
}

void WatcherCore::begin()
{
    {
        const std::lock_guard lock(mutex());
        if (state_ != State::created) {
            // The database may have been closed before the watch was run.
            keywatch::fail(ran_ ? Error::already_running : Error::closed);
        }
        if (!pipeline_->closing()) {
            state_ = State::running;
            ran_ = true;
            return;
        }
    }
    database_closed();
    keywatch::fail(Error::closed);
}

void WatcherCore::database_closed()
{
    std::shared_ptr<Waiters> waiters;
    {
        const std::lock_guard lock(mutex());
        if (state_ != State::created) {
            return;
        }
        state_ = State::ended;
        error_ = exception_of(Error::closed);
        waiters = waiters_;
    }
    release_functions();
    if (waiters) {
        tell_end(*waiters);
    }
}

void WatcherCore::start(async::Waiter waiter, const asio::any_io_executor& executor)
{
    if (auto slot = waiter.slot(); slot.is_connected()) {
        slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
            const auto self = weak.lock();
            if (self &&
                (type & asio::cancellation_type::terminal) != asio::cancellation_type::none) {
                self->request_cancel();
            }
        });
    }
    const bool foreign = waiter.life() != pipeline_->life();
    {
        asio::any_io_executor strand = async::SmallStrand::on(executor);
        const std::lock_guard lock(mutex());
        life_ = foreign ? waiter.life() : nullptr;
        run_waiter_ = std::move(waiter);
        strand_ = std::move(strand);
    }
    pipeline_->enter(shared_from_this());
}

void WatcherCore::use_executor(const asio::any_io_executor& executor)
{
    if (pull_) {
        const std::lock_guard lock(mutex());
        strand_ = async::SmallStrand::on(executor);
    }
}

std::optional<async::ContextLife::Hold> WatcherCore::hold_context() const
{
    std::optional<async::ContextLife::Hold> hold(std::in_place, life_);
    if (life_ && !*hold) {
        hold.reset();
    }
    return hold;
}

void WatcherCore::run_is_destroyed() noexcept
{
    asio::any_io_executor strand;
    std::shared_ptr<Waiters> waiters;
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            return;
        }
        state_ = State::ended;
        strand = std::exchange(strand_, asio::any_io_executor());
        waiters = waiters_;
    }
    errands_.run(Errands::leave);
    if (waiters) {
        tell_end(*waiters);
    }
}

void WatcherCore::entered(std::size_t place)
{
    place_ = place;
    if (pace_) {
        pace_->delivered(Pace::Clock::now());
    }
    std::shared_ptr<Waiters> waiters;
    {
        const std::lock_guard lock(mutex());
        following_ = true;
        waiters = waiters_;
    }
    if (waiters) {
        waiters->ready->reach(0);
    }
    start_worker();
}

void WatcherCore::refuse(std::exception_ptr error)
{
    if (const auto hold = hold_context()) {
        fsm_.abandon();
        finish(std::nullopt, std::move(error));
    }
}

template <class Change>
void WatcherCore::interrupt(Change change)
{
    const bool wake = inbox.signal(change);
    interrupted_.store(true, std::memory_order_release);
    const bool handed_back = shut_outbox();
    if (wake || handed_back) {
        start_worker();
    }
}

void WatcherCore::request_stop()
{
    interrupt([](watch::Signals& signals) { signals.stop = true; });
}

void WatcherCore::request_cancel()
{
    interrupt([](watch::Signals& signals) { signals.cancel = true; });
    cancel_worker();
}

void WatcherCore::close_now()
{
    interrupt([](watch::Signals& signals) { signals.close_now = true; });
    cancel_worker();
}

void WatcherCore::fail(std::exception_ptr error)
{
    interrupt([&](watch::Signals& signals) { signals.error = error; });
    cancel_worker();
}

template <class Change>
void WatcherCore::end_at(Revision revision, Change change)
{
    Revision known = end_at_.load();
    while (revision < known && !end_at_.compare_exchange_weak(known, revision)) {
    }
    const bool wake = inbox.signal(change);
    const bool handed_back = pull_ && pull_->outbox.hurry();
    if (wake || handed_back) {
        start_worker();
    }
}

void WatcherCore::close_at(Revision revision)
{
    end_at(revision, [revision](watch::Signals& signals) { signals.close_at = revision; });
}

Revision WatcherCore::request_drain()
{
    const Revision head = pipeline_->engine().durable_head();
    end_at(head, [head](watch::Signals& signals) {
        if (!signals.drain_at) {
            signals.drain_at = head;
        }
    });
    pipeline_->wake_at(head, weak_from_this());
    return head;
}

void WatcherCore::poke()
{
    if (inbox.signal([](watch::Signals&) {})) {
        start_worker();
    }
}

bool WatcherCore::runs_on(const asio::any_io_executor& executor) const
{
    const std::lock_guard lock(mutex());
    return strand_ && strand_ == executor;
}

void WatcherCore::finish(std::optional<EndReason> reason, std::exception_ptr error)
{
    start_state_.reset();
    release_functions();
    async::Waiter run_waiter;
    std::shared_ptr<Waiters> waiters;
    {
        const std::lock_guard lock(mutex());
        state_ = State::ended;
        reason_ = reason;
        error_ = error;
        strand_ = asio::any_io_executor();
        run_waiter = std::move(run_waiter_);
        waiters = waiters_;
    }
    errands_.run(Errands::leave);
    if (pull_) {
        pull_->outbox.shut();
        pull_->batches->close(nullptr);
    }
    if (waiters) {
        tell_end(*waiters);
    }
    if (run_waiter) {
        run_waiter.complete(std::move(error));
    }
}

void WatcherCore::release_functions() noexcept
{
    callback_.release();
    predicate_.reset();
}

void WatcherCore::context_shutdown() noexcept
{
    const auto hold = hold_context();
    if (!hold) {
        return;  // its own context has ended too
    }
    // Waiters on the context that ends are destroyed with it, the remaining ones are completed.
    async::Waiter run_waiter;
    std::shared_ptr<Waiters> waiters;
    {
        const std::lock_guard lock(mutex());
        if (state_ == State::ended) {
            return;
        }
        state_ = State::ended;
        error_ = exception_of(Error::closed);
        strand_ = asio::any_io_executor();
        run_waiter = std::move(run_waiter_);
        waiters = waiters_;
    }
    if (pull_) {
        pull_->outbox.shut();
        pull_->batches->close(nullptr);
    }
    if (waiters) {
        tell_end(*waiters);
    }
    if (run_waiter) {
        run_waiter.complete(exception_of(Error::closed));
    }
}

}  // namespace keywatch::pipeline
