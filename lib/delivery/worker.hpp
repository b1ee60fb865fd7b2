// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "delivery_context.hpp"
#include "history_source.hpp"
#include "inbox_source.hpp"
#include "sink.hpp"
#include "snapshot_source.hpp"
#include "watchdog.hpp"

#include "watch/delivery_fsm.hpp"

#include <keywatch/watcher.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// The part of a watch that its worker needs.
class WorkerHost {
public:
    /// Returns the strand of the watch. Used by the worker, while the watch runs.
    virtual const asio::any_io_executor& strand() const noexcept = 0;
    /// Ends the watch: with a reason, or with an error.
    virtual void finish(std::optional<EndReason> reason, std::exception_ptr error) = 0;

protected:
    WorkerHost() = default;
    WorkerHost(const WorkerHost&) = default;
    WorkerHost& operator=(const WorkerHost&) = default;
    ~WorkerHost() = default;
};

/// Performs what the DeliveryFsm of a watch decides, and decides nothing itself: takes batches from
/// the sources, passes them to the sink, and reports the results.
///
/// 1. It runs while there is something to deliver. It begins as a posted function, and continues as
///    a coroutine on the watch's own strand if something has to be awaited. The worker of an idle
///    watch has no coroutine, timer or channel.
/// 2. The inbox knows whether the worker is asleep. The call that wakes it posts the next run, so
///    there is one run at a time.
/// 3. Only the worker delivers, reports to the machine, and ends a watch that runs.
class Worker {
public:
    /// `context` and `host` must outlive this object. `from_state`: begins with a snapshot.
    Worker(DeliveryContext& context, WorkerHost& host, std::unique_ptr<Sink> sink, bool from_state,
           std::chrono::milliseconds callback_timeout);

    Sink& sink() const noexcept { return *sink_; }

    /// Runs until there is nothing to do. Called by the function that `start_worker` posts.
    void run();
    /// Returns the watchdog of the run that may be waiting. Precondition: the inbox's mutex is
    /// held.
    std::weak_ptr<Watchdog> watchdog() const noexcept { return watchdog_; }
    /// Releases what the worker holds. Called once the watch has ended.
    void release() noexcept;

private:
    using Action = watch::DeliveryFsm::Action;
    using Do = watch::DeliveryFsm::Do;
    using Ending = watch::DeliveryFsm::Ending;

    /// Performs actions until the worker sleeps, or until something has to be awaited: then a
    /// coroutine continues.
    void run_in_place();
    Action begin_run(Batch& batch);
    /// Performs an action that never waits.
    Action perform(Action action, Batch& batch);
    void spawn(Action action, Batch batch);
    static asio::awaitable<void> work(std::shared_ptr<Worker> self,
                                      std::shared_ptr<Watchdog> watchdog, Action action,
                                      Batch batch);
    asio::awaitable<void> work_until_idle(Watchdog& watchdog, Action action, Batch& batch);
    Action took(const InboxTaken& taken, Batch& batch);
    asio::awaitable<Action> read_state(Batch& batch);
    asio::awaitable<Action> read_history(Action action, HistorySource& history, Batch& batch);
    /// Ends the watch. `error` is used if the ending does not determine the exception.
    void end(Ending ending, std::exception_ptr error);
    void failed(std::exception_ptr error, bool timed_out);

    // Intervals (worker_pace.cpp).
    void begin_delivery(const Batch& batch);
    /// Returns whether the next delivery may begin, which it always may unless `may_wait` is true.
    /// If it is early and there is something to deliver, the worker is woken when it is time.
    watch::DeliveryFsm::Timing timing(bool may_wait);
    /// Schedules a wake-up of the worker for when progress may be due.
    void look_at_progress_later();
    /// Returns true if progress is due. The batch is then a progress marker.
    bool tells_progress(Batch& batch);

    std::shared_ptr<Worker> shared();

    DeliveryContext& context_;
    WorkerHost& host_;
    const std::unique_ptr<Sink> sink_;
    /// Null if there is no state, and once it has been delivered.
    std::unique_ptr<SnapshotSource> snapshot_;
    const std::chrono::milliseconds callback_timeout_;
    std::weak_ptr<Watchdog> watchdog_;  ///< guarded by the inbox's mutex
};

}  // namespace keywatch::delivery
