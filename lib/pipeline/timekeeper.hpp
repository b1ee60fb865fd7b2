// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pipeline_strand.hpp"
#include "running_set.hpp"
#include "stage_events.hpp"
#include "watcher_interface.hpp"

#include "watch/timetable.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Wakes running watches at the times that they ask for: one coroutine with one timer, which exist
/// only while a watch waits for a time.
///
/// Used on the pipeline's strand, except for `wake_at`.
class Timekeeper {
public:
    /// The arguments must outlive this object.
    Timekeeper(PipelineStrand& strand, const RunningSet& running, StageEvents& events)
        : strand_(strand), running_(running), events_(events)
    {
    }

    /// Wakes the watch at this time, if it is still running then. If there is no memory for that,
    /// the watch fails. Any thread.
    void wake_at(std::chrono::steady_clock::time_point time,
                 std::weak_ptr<WatcherInterface> watcher);
    /// Discards the times of a watch.
    void remove(const WatcherInterface& watcher);
    /// Ends the coroutine; no watch is woken from then on.
    void stop() noexcept;
    /// Discards all times.
    void clear() { timetable_.clear(); }

private:
    static asio::awaitable<void> keep_time(std::shared_ptr<Timekeeper> self);
    void add(const SharedWatcher& watcher, std::chrono::steady_clock::time_point time);
    void start();
    void look_again();

    PipelineStrand& strand_;
    const RunningSet& running_;
    StageEvents& events_;
    watch::Timetable timetable_;
    bool keeps_time_ = false;  ///< true while `keep_time` runs, which owns the timer
    bool stopping_ = false;
    asio::steady_timer* timer_ = nullptr;
};

}  // namespace keywatch::pipeline
