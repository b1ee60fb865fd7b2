// SPDX-License-Identifier: BSL-1.0
#include "history_keeper.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::engine {

namespace {

/// Trimming begins when a limit is exceeded by this part of it, so that not every commit trims.
constexpr std::uint64_t slack_part = 32;

bool exceeds(std::uint64_t value, std::uint64_t limit)
{
    return value > limit && value - limit > limit / slack_part;
}

}  // namespace

HistoryKeeper::HistoryKeeper(const Options& options, storage::Store& store,
                             async::WorkerThread& thread)
    : limits_(options.history),
      store_(store),
      thread_(thread),
      oldest_(store_.history_at_open().oldest),
      history_(store_.history_at_open()),
      orphans_(store_.orphans_at_open().begin(), store_.orphans_at_open().end())
{
}

void HistoryKeeper::start()
{
    const std::lock_guard lock(mutex_);
    schedule_trim();
    if (!orphans_.empty()) {
        schedule_erase();
    }
}

void HistoryKeeper::committed(Revision revision, Time time, const storage::Totals& totals) noexcept
{
    const std::lock_guard lock(mutex_);
    if (history_.oldest > history_.newest) {
        history_.oldest_time = time;
    }
    history_.newest = revision;
    history_.newest_totals = totals;
    if (!trimming_ && over_limits(time)) {
        schedule_trim();
    }
}

bool HistoryKeeper::over_limits(Time now) const
{
    const std::uint64_t bytes = history_.newest_totals.bytes - history_.before_oldest.bytes;
    const std::uint64_t commits = history_.newest + 1 - history_.oldest;
    const auto age = now - history_.oldest_time;
    const auto slack = limits_.age / static_cast<std::int64_t>(slack_part);
    return exceeds(bytes, std::min(limits_.bytes, limits_.hard_bytes)) ||
           exceeds(commits, limits_.commits) ||
           (limits_.age < std::chrono::years{200} && age > limits_.age + slack);
}

void HistoryKeeper::schedule_trim()
{
    trimming_ = thread_.post([self = shared_from_this()] { self->trim(); });
}

void HistoryKeeper::trim()
{
    storage::HistoryState state;
    {
        const std::lock_guard lock(mutex_);
        state = history_;
    }
    std::size_t trimmed = 0;
    try {
        const auto now =
            std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
        trimmed = store_.trim(state, limits_, std::nullopt, now, trim_step);
    } catch (const boost::system::system_error&) {
        // A failed write has been latched by the store, and is reported by the next commit. What
        // could not be read is left for the open that will call it damaged.
        trimmed = 0;
    }
    oldest_.store(state.oldest, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    if (history_.oldest != state.oldest) {  // else the first commit may have set the time meanwhile
        history_.oldest = state.oldest;
        history_.oldest_time = state.oldest_time;
        history_.before_oldest = state.before_oldest;
    }
    trimmed_ += trimmed;
    trimming_ = false;
    if (trimmed == trim_step) {
        schedule_trim();
    }
}

void HistoryKeeper::dropped(storage::BucketId id)
{
    const std::lock_guard lock(mutex_);
    orphans_.push_back(id);
    if (!erasing_) {
        schedule_erase();
    }
}

void HistoryKeeper::schedule_erase()
{
    erasing_ = thread_.post([self = shared_from_this()] { self->erase(); });
}

void HistoryKeeper::erase()
{
    storage::BucketId id = 0;
    {
        const std::lock_guard lock(mutex_);
        id = orphans_.front();
    }
    bool gone = false;
    try {
        gone = store_.erase_orphan(id, erase_step);
    } catch (const boost::system::system_error&) {
        // As in trim(); the next open takes up what is left.
        const std::lock_guard lock(mutex_);
        orphans_.clear();
        erasing_ = false;
        return;
    }
    const std::lock_guard lock(mutex_);
    if (gone) {
        orphans_.pop_front();
    }
    erasing_ = false;
    if (!orphans_.empty()) {
        schedule_erase();
    }
}

}  // namespace keywatch::engine
