// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/delivery_fsm.hpp"
#include "watch/entry.hpp"
#include "watch/inbox.hpp"

#include <keywatch/position.hpp>
#include <keywatch/watch_options.hpp>

#include <atomic>
#include <limits>
#include <mutex>

namespace keywatch::delivery {

/// Holds the visible position back while a consumer processes a commit.
class PositionGate {
public:
    /// Returns true if everything up to this revision has been delivered, given that nothing else
    /// is to be delivered. Otherwise it is delivered with the commit that the consumer has. Any
    /// thread.
    virtual bool pass(Revision revision) = 0;

protected:
    PositionGate() = default;
    PositionGate(const PositionGate&) = default;
    PositionGate& operator=(const PositionGate&) = default;
    ~PositionGate() = default;
};

/// The position and the phase of a watch, as other threads see them.
///
/// 1. The position is that of the worker's DeliveryFsm, or a later one: an idle watch has received
///    everything up to R although its worker does not run. It only grows.
/// 2. The place within a commit and the position change in one step.
///
/// Thread safety: all members may be called from any thread, except `show_phase`, which is for the
/// worker.
class VisibleProgress {
public:
    /// `mutex` must outlive this object.
    VisibleProgress(const Position& start, std::mutex& mutex)
        : mutex_(mutex),
          revision_(start.revision),
          within_{start.revision, start.revision, start.seen_of_next}
    {
    }

    /// Sets the gate. Called once, before the watch runs. The gate must outlive this object's use.
    void set_gate(PositionGate& gate) noexcept { gate_ = &gate; }

    Revision revision() const noexcept { return revision_.load(); }
    /// Returns the position, in the history of this id.
    Position position(const HistoryId& history) const;
    /// Raises the position to this revision, up to which nothing is left to deliver, unless the
    /// gate holds it back.
    void show(Revision revision) const
    {
        if (gate_ == nullptr || gate_->pass(revision)) {
            raise(revision);
        }
    }
    /// Raises the position. A lower revision changes nothing. Constant, because asking an idle
    /// watch for its position raises it.
    void raise(Revision revision) const noexcept;
    /// Raises the position to `within.at`, and shows the place within a commit instead of it.
    void move_within(const watch::Within& within);

    /// Copies the phase of the machine.
    void show_phase(const watch::DeliveryFsm& fsm) noexcept;
    /// Returns true if the watch is live, as far as its worker knows.
    bool is_live() const noexcept { return live_.load(std::memory_order_relaxed); }
    /// Returns true if the policy is `stop` or `skip` and the watch is slower than the commits.
    bool has_overflowed(Overflow policy, Revision routed,
                        const watch::Inbox::Level& level) const noexcept;

private:
    std::mutex& mutex_;
    PositionGate* gate_ = nullptr;
    mutable std::atomic<Revision> revision_;
    std::atomic<bool> live_{false};
    std::atomic<bool> detached_{true};
    /// The largest lag at which the watch is not too slow.
    std::atomic<Revision> bears_{std::numeric_limits<Revision>::max()};
    watch::Within within_;  ///< guarded by `mutex_`
};

}  // namespace keywatch::delivery
