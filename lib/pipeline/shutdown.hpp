// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pipeline_strand.hpp"
#include "registry.hpp"
#include "router.hpp"
#include "running_set.hpp"
#include "timekeeper.hpp"
#include "watcher_interface.hpp"

#include "async/undelivered.hpp"
#include "async/waiter_list.hpp"
#include "engine/engine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Closes the database: finishes the queued transactions, lets the watches receive everything, ends
/// them, stops the stages and closes the engine. One coroutine on the strand does that, whichever
/// caller begins it and however many wait.
///
/// 1. Transactions are accepted until the watches have ended, because a callback may await one.
/// 2. Closing ends in time even if event loops are blocked or stopped: a thread of the engine then
///    closes it (shutdown_limit.cpp).
///
/// Thread safety: members marked "any thread" may be called from any thread, the others on the
/// strand.
class Shutdown final : private async::Undelivered::Entry {
public:
    /// The arguments must outlive this object.
    Shutdown(PipelineStrand& strand, engine::Engine& engine, Router& router, Timekeeper& timekeeper,
             RunningSet& running, Registry& registry)
        : strand_(strand),
          engine_(engine),
          router_(router),
          timekeeper_(timekeeper),
          running_(running),
          registry_(registry)
    {
    }

    /// Same as Database::close. Any thread.
    static asio::awaitable<void> close(std::shared_ptr<Shutdown> self,
                                       std::chrono::milliseconds timeout);
    /// Begins to close, without a caller that waits for it. Any thread.
    void abandon() noexcept;
    /// Returns true once closing has begun. Any thread.
    bool has_begun() const noexcept { return begun_.load(std::memory_order_acquire); }
    /// Returns true once closing has reached the step that refuses commits. Any thread.
    bool refuses_commits() const noexcept { return drained_.load(std::memory_order_acquire); }

    /// Notifies closing that the consumer of a pulled watch has asked for more than the commit it
    /// had. Any thread.
    void consumer_asked() noexcept;
    /// Notifies closing that a watch is no longer running.
    void removed(const SharedWatcher& watcher) noexcept;
    /// Completes the callers that wait. Called while the context is being destroyed.
    void context_shutdown() noexcept;
    /// Releases what refers to watches. Called while the context is being destroyed.
    void release() noexcept { closers_.clear(); }

private:
    using Clock = std::chrono::steady_clock;

    /// The progress of closing.
    struct Progress {
        enum class Step : std::uint8_t {
            finish_commits,
            end_watchers,
            refuse_commits,
            end_others,
            close_engine,
            closed
        };

        Clock::time_point begun;
        std::chrono::milliseconds timeout{};
        Step step = Step::finish_commits;
        bool done = false;  ///< true if all watches have ended in time
    };

    bool deliver() noexcept override;
    void begin(std::chrono::milliseconds timeout);
    void add_closer(const asio::any_io_executor& closer);
    static asio::awaitable<void> run(std::shared_ptr<Shutdown> self,
                                     std::chrono::milliseconds timeout);
    asio::awaitable<void> do_step(Progress& progress);
    asio::awaitable<void> finish_queued_commits();
    asio::awaitable<void> end_watchers(Clock::time_point deadline);
    /// Calls `tell` for each running watch, in slices. `tell` must live until this has been
    /// awaited.
    using Tell = std::function<void(const SharedWatcher&)>;
    asio::awaitable<void> tell_running(const Tell& tell);
    asio::awaitable<void> wait_for_watchers(Clock::time_point deadline);
    bool watchers_done() const;
    asio::awaitable<void> wait_for_consumers(Clock::time_point deadline);
    /// Ends the watches that were never run, and completes their waiters.
    asio::awaitable<void> end_those_never_run();
    void wake() noexcept;

    // The limit of closing (shutdown_limit.cpp).
    void limit(std::chrono::milliseconds timeout);
    void look_after_loop();
    void close_without_loop();
    void tell_closed(std::exception_ptr result);

    PipelineStrand& strand_;
    engine::Engine& engine_;
    Router& router_;
    Timekeeper& timekeeper_;
    RunningSet& running_;
    Registry& registry_;
    const std::shared_ptr<async::WaiterList> closed_ = std::make_shared<async::WaiterList>();
    std::atomic<bool> begun_{false};
    std::atomic<bool> drained_{false};
    std::atomic<bool> told_closed_{false};
    std::shared_ptr<Shutdown> keep_;  ///< itself, while there is no memory to begin closing

    // On the strand.
    bool stages_stopped_ = false;
    asio::steady_timer* timer_ = nullptr;
    /// Pulled watches that ended during closing while their consumers had a commit.
    std::vector<std::weak_ptr<WatcherInterface>> busy_consumers_;
    /// Watches whose own callbacks wait for the closing.
    std::vector<std::weak_ptr<const WatcherInterface>> closers_;
};

}  // namespace keywatch::pipeline
