// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "figures.hpp"
#include "pace.hpp"
#include "visible_progress.hpp"
#include "waiters.hpp"

#include "pipeline/pipeline.hpp"
#include "pipeline/watcher_interface.hpp"
#include "watch/delivery_fsm.hpp"
#include "watch/wanted.hpp"

#include <keywatch/watch_options.hpp>

#include <atomic>
#include <memory>

namespace keywatch::delivery {

/// The state that the worker of a watch, its sources and its sink share. Used by the worker, except
/// for the members marked "any thread".
struct DeliveryContext {
    using Action = watch::DeliveryFsm::Action;

    DeliveryContext(pipeline::WatcherInterface& watch_, std::shared_ptr<pipeline::Pipeline> pipe,
                    const WatchOptions& options, const Position& start);

    /// Shows the position and the phase of the machine, and completes those that wait for the
    /// position. Called after each report that may have changed them.
    void advanced();
    /// Returns true once a signal ends the watch before its next callback. Any thread.
    bool is_interrupted() const noexcept { return interrupted.load(std::memory_order_acquire); }

    /// Returns the predicate to be applied before messages are coalesced. Null if there is none:
    /// only `Overflow::latest` coalesces, and a message that the predicate rejects must not stand
    /// for one that it accepts.
    const watch::Predicate* predicate_before_coalescing() const noexcept
    {
        return overflow == Overflow::latest ? predicate.get() : nullptr;
    }
    /// Returns the predicate to be applied at delivery. Null if there is none, or if it was applied
    /// before.
    const watch::Predicate* predicate_at_delivery() const noexcept
    {
        return overflow == Overflow::latest && !fsm.delivers_state() ? nullptr : predicate.get();
    }

    pipeline::WatcherInterface& watch;
    const std::shared_ptr<pipeline::Pipeline> pipeline;
    const Overflow overflow;  ///< any thread
    /// Set after the signal that ends the watch: pairs with the load in `is_interrupted`.
    std::atomic<bool> interrupted{false};
    watch::DeliveryFsm fsm;
    std::unique_ptr<Pace> pace;  ///< null if there are no intervals
    /// Null if there is no predicate, and once the watch has ended.
    std::unique_ptr<const watch::Predicate> predicate;
    VisibleProgress progress;  ///< any thread
    Waiters waiters;           ///< any thread
    Figures figures;           ///< read by any thread
};

}  // namespace keywatch::delivery
