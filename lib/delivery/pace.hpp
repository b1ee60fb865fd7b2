// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/watch_options.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

namespace keywatch::delivery {

/// The times of a watch that has a `min_interval` or a `progress_interval`. Other watches have no
/// `Pace`. The caller passes the current time. Used by the worker.
class Pace {
public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    /// Returns true if the options set one of the two intervals.
    static bool is_needed(const WatchOptions& options)
    {
        return options.min_interval.count() != 0 || options.progress_interval.count() != 0;
    }
    /// Returns null if no pace is needed.
    static std::unique_ptr<Pace> of(const WatchOptions& options)
    {
        return is_needed(options) ? std::make_unique<Pace>(options) : nullptr;
    }
    explicit Pace(const WatchOptions& options)
        : interval_(std::min<std::chrono::milliseconds>(options.min_interval, longest)),
          progress_(std::min<std::chrono::milliseconds>(options.progress_interval, longest))
    {
    }

    /// Notes that a delivery begins. Everything that is delivered while a watch catches up is one
    /// delivery. Otherwise catching up would never end if more changes in an interval than is read
    /// from history at a time.
    void begins(Time now, bool live) noexcept
    {
        if (!catching_up_) {
            next_ = now + interval_;
        }
        catching_up_ = !live;
    }
    /// Returns true if it is too early for the next delivery to begin.
    bool is_early(Time now, bool live) noexcept
    {
        catching_up_ = catching_up_ && !live;
        return !catching_up_ && now < next_;
    }
    /// Returns the time at which the next delivery may begin. If it may begin now, then that time
    /// has passed.
    Time next() const noexcept { return next_; }

    /// Notes that something was delivered, or that the watch has begun.
    void delivered(Time now) noexcept { last_ = now; }
    bool progress_is_due(Time now) const noexcept { return has_progress() && now >= progress_at(); }
    /// Returns the time at which to check whether progress is due. Returns nothing if the time that
    /// was returned last has not passed yet, or if there is no `progress_interval`.
    std::optional<Time> look_at(Time now) noexcept
    {
        if (!has_progress() || asked_ > now) {
            return std::nullopt;
        }
        asked_ = progress_at();
        return asked_;
    }

private:
    static constexpr std::chrono::hours longest{24 * 365};

    bool has_progress() const noexcept { return progress_.count() > 0; }
    Time progress_at() const noexcept { return last_ + progress_; }

    const std::chrono::milliseconds interval_;
    const std::chrono::milliseconds progress_;
    Time next_{};
    bool catching_up_ = false;  ///< true if it catches up and has begun to deliver
    Time last_{};
    Time asked_{};
};

}  // namespace keywatch::delivery
