// SPDX-License-Identifier: BSL-1.0
#include "sweeper.hpp"

#include "async/post.hpp"
#include "async/spawn.hpp"
#include "async/untracked_executor.hpp"

#include <keywatch/error.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace keywatch::embedded {

namespace {

/// The maximum delay of a timer, so that not every earlier deadline schedules another timer.
constexpr std::chrono::milliseconds slack{5};

}  // namespace

Sweeper::Sweeper(const storage::Store& store, const MonotonicClock& clock,
                 async::WorkerThread& thread, const asio::any_io_executor& executor,
                 std::weak_ptr<void> owner, Commit commit)
    : store_(store),
      store_failed_(store.failed_flag()),
      clock_(clock),
      thread_(thread),
      executor_(async::UntrackedExecutor::on(executor)),
      owner_(std::move(owner)),
      commit_(std::move(commit))
{
}

void Sweeper::start() noexcept
{
    lower(Time::min());
    try {
        thread_.post([self = shared_from_this()] {
            self->find_next();
            self->set_busy(false);
            self->arm();
        });
    } catch (const std::bad_alloc&) {
        set_busy(false);
        arm();
    }
}

void Sweeper::on_deadline(Time deadline) noexcept
{
    if (deadline < next_.load()) {
        lower(deadline);
        arm();
    }
}

void Sweeper::lower(Time deadline) noexcept
{
    Time next = next_.load();
    while (deadline < next && !next_.compare_exchange_weak(next, deadline)) {
    }
}

void Sweeper::arm(std::chrono::milliseconds least) noexcept
{
    try {
        try_arm(least);
        return;
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (keep_) {
            missed_ = true;
            return;
        }
        keep_ = shared_from_this();
    }
    async::Undelivered::add(*this);
}

bool Sweeper::deliver() noexcept
{
    std::shared_ptr<Sweeper> keep;  // released after the mutex, which is a member
    try {
        if (const auto owner = owner_.lock()) {
            try_arm(std::chrono::milliseconds::zero());
        }
    } catch (...) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    if (std::exchange(missed_, false)) {
        return false;
    }
    keep = std::move(keep_);
    return true;
}

void Sweeper::try_arm(std::chrono::milliseconds least)
{
    const Time next = next_.load();
    if (next == never) {
        return;
    }
    const Time now = clock_.now();  // user code: must not run with the mutex held
    auto wait = longest_wait;
    if (next < now + longest_wait) {
        wait = std::max(least, next > now ? std::chrono::ceil<std::chrono::milliseconds>(next - now)
                                          : std::chrono::milliseconds::zero());
    }
    const SteadyTime at = std::chrono::steady_clock::now() + wait;
    const std::lock_guard lock(mutex_);
    if (busy_ || stopped_ || (armed_ && *armed_ <= at + slack)) {
        return;
    }
    thread_.post_after(
        wait, [self = shared_from_this(), number = timer_ + 1] { self->on_timer(number); });
    ++timer_;
    armed_ = at;
}

void Sweeper::on_timer(std::uint64_t number)
{
    {
        const std::lock_guard lock(mutex_);
        if (number != timer_ || busy_ || stopped_) {
            return;
        }
        armed_.reset();
        busy_ = true;
    }
    if (next_.load() > clock_.now()) {
        // This skips deadlines that were moved, a few at a time and not all of them when they are
        // due.
        find_next();
    }
    if (next_.load() <= clock_.now()) {
        begin_sweep();
        return;
    }
    set_busy(false);
    arm();
}

/// Finds the earliest stored deadline.
void Sweeper::find_next()
{
    const Time from = take_next();
    try {
        lower(store_.first_deadline(from).value_or(never));
    } catch (const boost::system::system_error&) {
        lower(from);
    }
}

void Sweeper::set_busy(bool busy)
{
    const std::lock_guard lock(mutex_);
    busy_ = busy;
}

void Sweeper::stop()
{
    const std::lock_guard lock(mutex_);
    stopped_ = true;
}

void Sweeper::begin_sweep()
{
    try {
        async::post(executor_, [self = shared_from_this(), owner = owner_.lock()] {
            try {
                async::spawn(
                    self->executor_, sweep(self, owner),
                    [self, owner](const std::exception_ptr& error) { self->swept(error); });
            } catch (const std::bad_alloc&) {
                self->swept(std::current_exception());
            }
        });
    } catch (const std::bad_alloc&) {
        swept(std::current_exception());
    }
}

asio::awaitable<void> Sweeper::sweep(std::shared_ptr<Sweeper> self, std::shared_ptr<void>)
{
    const Time from = self->take_next();
    auto sweep = std::make_shared<Sweep>(storage::deadline_keys_from(from));
    try {
        co_await self->commit_(sweep);
        while (sweep->more()) {
            sweep = std::make_shared<Sweep>(sweep->next());
            co_await self->commit_(sweep);
        }
    } catch (...) {
        self->lower(from);
        throw;
    }
    if (!sweep->next().empty()) {
        self->lower(storage::parse_deadline_key(sweep->next())->time);
    }
}

void Sweeper::swept(const std::exception_ptr& error)
{
    std::chrono::milliseconds least{};
    try {
        if (error) {
            std::rethrow_exception(error);
        }
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == Error::closed || store_failed_->load()) {
            stop();
        }
        least = longest_wait;
    } catch (const std::exception&) {
        least = longest_wait;  // there may be memory again by then
    }
    set_busy(false);
    arm(least);
}

}  // namespace keywatch::embedded
