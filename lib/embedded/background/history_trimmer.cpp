// SPDX-License-Identifier: BSL-1.0
#include "history_trimmer.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

namespace keywatch::embedded {

namespace {

/// Trimming begins when a limit is exceeded by this part of it, so that not every commit trims.
constexpr std::uint64_t slack_part = 32;

/// Time after which removals that no commit has taken along are written alone.
constexpr std::chrono::milliseconds idle_time{10};

bool exceeds(std::uint64_t value, std::uint64_t limit)
{
    return value > limit && value - limit > limit / slack_part;
}

}  // namespace

HistoryTrimmer::HistoryTrimmer(const Options& options, storage::Store& store,
                               async::WorkerThread& thread, const MonotonicClock& clock)
    : limits_(options.history),
      store_(store),
      thread_(thread),
      clock_(clock),
      oldest_(store_.history_at_open().oldest),
      history_(store_.history_at_open())
{
}

void HistoryTrimmer::start()
{
    const std::lock_guard lock(mutex_);
    schedule_plan();
}

void HistoryTrimmer::committed(Revision revision, Time time, const storage::Totals& totals) noexcept
{
    const std::lock_guard lock(mutex_);
    if (history_.oldest > history_.newest) {
        history_.oldest_time = time;
    }
    history_.newest = revision;
    history_.newest_totals = totals;
    ++commits_since_plan_;
    if (!planning_ && planned_.empty() && !trimmed_to_ && can_trim(time)) {
        schedule_plan();
    }
}

/// Returns true if something can be trimmed. While a cursor retains all of it, commits therefore do
/// not search for removable history.
bool HistoryTrimmer::can_trim(Time now) const
{
    return exceeds(kept_bytes(), limits_.hard_bytes) ||
           (over_limits(now) && !store_.pins().keeps(history_.oldest));
}

std::uint64_t HistoryTrimmer::kept_bytes() const
{
    return history_.newest_totals.bytes - history_.before_oldest.bytes;
}

bool HistoryTrimmer::over_limits(Time now) const
{
    const std::uint64_t commits = history_.newest + 1 - history_.oldest;
    const auto age = now - history_.oldest_time;
    const auto slack = limits_.age / static_cast<std::int64_t>(slack_part);
    return exceeds(kept_bytes(), limits_.bytes) || exceeds(commits, limits_.commits) ||
           (limits_.age < storage::no_age_limit && age > limits_.age + slack);
}

void HistoryTrimmer::schedule_plan() noexcept
{
    try {
        planning_ = thread_.post([self = shared_from_this()] { self->plan(); });
    } catch (const std::bad_alloc&) {
        planning_ = false;  // a later commit retries this
    }
}

/// Returns twice the commits since the last plan, within limits, so that trimming keeps up with
/// busy writers.
storage::TrimAmount HistoryTrimmer::amount() const
{
    const std::size_t records = std::clamp<std::size_t>(2 * commits_since_plan_, 256, 4096);
    return {records / trim_step, trim_step};
}

void HistoryTrimmer::plan()
{
    storage::HistoryState state;
    storage::TrimAmount most;
    {
        const std::lock_guard lock(mutex_);
        state = history_;
        most = amount();
        commits_since_plan_ = 0;
    }
    std::vector<storage::TrimStep> steps;
    try {
        steps = store_.plan_trim(state, limits_, clock_.now(), most);
    } catch (const boost::system::system_error&) {
        // The next open reports what cannot be read as damaged.
    }
    const std::lock_guard lock(mutex_);
    planning_ = false;
    std::ranges::move(steps, std::back_inserter(planned_));
    has_plan_.store(!planned_.empty(), std::memory_order_relaxed);
    if (!planned_.empty()) {
        thread_.post_after(idle_time, [self = shared_from_this()] { self->write_plan(); });
    }
}

bool HistoryTrimmer::add_removals(storage::Batch& batch, std::size_t commits)
{
    if (!has_plan_.load(std::memory_order_relaxed)) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    return take_removals(batch, 1 + commits / trim_step);
}

bool HistoryTrimmer::take_removals(storage::Batch& batch, std::size_t steps)
{
    if (planned_.empty() || trimmed_to_) {
        return false;
    }
    const auto end =
        std::next(planned_.begin(), static_cast<std::ptrdiff_t>(std::min(steps, planned_.size())));
    for (auto each = planned_.begin(); each != end; ++each) {
        batch.append(each->batch);  // may throw, so no step is taken before all are in the batch
    }
    for (auto each = planned_.begin(); each != end; ++each) {
        trimmed_to_ = each->after;
        being_trimmed_ += each->records;
    }
    planned_.erase(planned_.begin(), end);
    has_plan_.store(!planned_.empty(), std::memory_order_relaxed);
    return true;
}

void HistoryTrimmer::trimmed() noexcept
{
    const std::lock_guard lock(mutex_);
    history_.oldest = trimmed_to_->oldest;
    history_.oldest_time = trimmed_to_->oldest_time;
    history_.before_oldest = trimmed_to_->before_oldest;
    trimmed_to_.reset();
    trimmed_ += std::exchange(being_trimmed_, 0);
    // Pairs with the load in oldest(). The head was stored before `committed` was called for the
    // newest record, which is never trimmed.
    oldest_.store(history_.oldest, std::memory_order_release);
}

void HistoryTrimmer::write_plan()
{
    storage::Batch batch;
    {
        const std::lock_guard lock(mutex_);
        if (!take_removals(batch, planned_.size())) {
            // A commit is writing some removals, and more may remain after it. After a failed write
            // nothing more is trimmed.
            if (trimmed_to_ && !store_.failed()) {
                thread_.post_after(idle_time, [self = shared_from_this()] { self->write_plan(); });
            }
            return;
        }
    }
    try {
        store_.write(batch, false);
    } catch (const boost::system::system_error&) {
        return;  // latched by the store, and reported by the next commit
    }
    trimmed();
    const std::lock_guard lock(mutex_);
    if (!planning_ && planned_.empty() && !trimmed_to_) {  // otherwise `committed` was faster
        schedule_plan();
    }
}

Stats::History HistoryTrimmer::stats() const
{
    const std::lock_guard lock(mutex_);
    Stats::History stats;
    stats.oldest_revision = history_.oldest;
    stats.newest_revision = history_.newest;
    stats.trimmed = trimmed_;
    if (history_.oldest <= history_.newest) {
        stats.oldest_time = history_.oldest_time;
        stats.commits = history_.newest + 1 - history_.oldest;
        stats.messages = history_.newest_totals.messages - history_.before_oldest.messages;
        stats.bytes = kept_bytes();
    }
    return stats;
}

storage::HistoryState HistoryTrimmer::state() const
{
    const std::lock_guard lock(mutex_);
    return history_;
}

}  // namespace keywatch::embedded
