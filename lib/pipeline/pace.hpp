// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/watch_options.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

namespace keywatch::pipeline {

/// The times of a watch that has a `min_interval` or a `progress_interval`; others have none of
/// this. What time it is, its caller says. The worker's.
class Pace {
public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    /// Returns true if the options ask for one of the two.
    static bool is_needed(const WatchOptions& options)
    {
        return options.min_interval.count() != 0 || options.progress_interval.count() != 0;
    }
    /// Returns null if it is not needed.
    static std::unique_ptr<Pace> of(const WatchOptions& options)
    {
        return is_needed(options) ? std::make_unique<Pace>(options) : nullptr;
    }
    explicit Pace(const WatchOptions& options)
        : interval_(std::min<std::chrono::milliseconds>(options.min_interval, longest)),
          progress_(std::min<std::chrono::milliseconds>(options.progress_interval, longest))
    {
    }

    /// A delivery begins. All that is delivered while a watch catches up is one, or it would never
    /// come to an end where more changes in an interval than is read from history at a time.
    void begins(Time now, bool live) noexcept
    {
        if (!catching_up_) {
            next_ = now + interval_;
        }
        catching_up_ = !live;
    }
    bool is_early(Time now, bool live) noexcept
    {
        catching_up_ = catching_up_ && !live;
        return !catching_up_ && now < next_;
    }
    /// When the next one may begin; the past if it may now.
    Time next() const noexcept { return next_; }

    /// Something was delivered, or the watch has begun.
    void delivered(Time now) noexcept { last_ = now; }
    bool progress_is_due(Time now) const noexcept { return has_progress() && now >= progress_at(); }
    /// When to look whether progress is due; nothing if that was asked, and told, before and has
    /// not passed yet.
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
    bool catching_up_ = false;  ///< and has begun to deliver
    Time last_{};
    Time asked_{};
};

}  // namespace keywatch::pipeline
