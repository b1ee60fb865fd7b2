// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "history_source.hpp"
#include "watchdog.hpp"

#include "watch/delivery_fsm.hpp"

#include <keywatch/position.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Takes the batches of a watch: a callback, or the consumer of a pulled watch.
///
/// The worker calls the members of the first section, one at a time, until the watch has ended. A
/// sink reports to the watch's DeliveryFsm what it has delivered, and returns the next action.
class Sink {
public:
    using Action = watch::DeliveryFsm::Action;

    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    /// Delivers the batch without a coroutine. Returns nothing if a coroutine is needed, or if
    /// other work should have its turn before the rest: `deliver` then continues.
    virtual std::optional<Action> deliver_in_place(Batch& batch) = 0;
    /// Delivers the batch, or the open slice of history if the batch is empty.
    virtual asio::awaitable<Action> deliver(HistorySource& history, Batch& batch,
                                            Watchdog& watchdog) = 0;
    /// Takes back the batch of a worker that was parked.
    virtual Action take_back(Batch& batch) = 0;
    /// Destroys what belongs to the program. It may own a handle of this very watch. Nothing is
    /// delivered from then on.
    virtual void release() noexcept = 0;

    // Any thread.
    /// Returns true if batches stay with the sink after it has returned. A batch then has to be
    /// complete, and own its commits.
    virtual bool keeps_batches() const noexcept = 0;
    /// Returns true if the worker needs no strand until something has to be awaited.
    virtual bool needs_no_strand() const noexcept = 0;
    /// Takes the batch away from the consumer, because the watch is to end. Returns true if the
    /// worker was parked; the caller then starts it.
    virtual bool close() noexcept = 0;
    /// Same as `close`, but lets the consumer take what it has been given.
    virtual bool hurry() noexcept = 0;
    /// Returns true if the consumer may still be processing the commit that it has.
    virtual bool is_busy() const = 0;
    /// Notifies the consumer that the watch has ended.
    virtual void ended() noexcept = 0;
};

}  // namespace keywatch::delivery
