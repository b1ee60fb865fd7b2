// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "counters.hpp"
#include "feed.hpp"
#include "pipeline_strand.hpp"
#include "registry.hpp"
#include "router.hpp"
#include "running_set.hpp"
#include "shutdown.hpp"
#include "stage_events.hpp"
#include "timekeeper.hpp"
#include "watcher_interface.hpp"

#include "async/context_service.hpp"
#include "engine/engine.hpp"
#include "watch/shared_bytes.hpp"

#include <keywatch/options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Everything between the engine's durable commits and the watches, of one database: the parts, and
/// what happens to several of them at a time.
///
/// The parts know watches only as WatcherInterface. They are members, so that what keeps one of
/// them alive keeps all.
///
/// Thread safety: all public members may be called from any thread; see also those of the parts.
class Pipeline final : public async::ContextUser,
                       public std::enable_shared_from_this<Pipeline>,
                       private StageEvents {
public:
    static std::shared_ptr<Pipeline> start(const asio::any_io_executor& executor,
                                           std::shared_ptr<engine::Engine> engine,
                                           std::shared_ptr<Feed> feed, const Options& options);
    /// Called by `start`.
    Pipeline(const asio::any_io_executor& executor, std::shared_ptr<engine::Engine> engine,
             std::shared_ptr<Feed> feed, const Options& options);

    /// Same as Database::close.
    static asio::awaitable<void> close(const std::shared_ptr<Pipeline>& self,
                                       std::chrono::milliseconds timeout)
    {
        return Shutdown::close({self, &self->shutdown_}, timeout);
    }
    /// Adds the watch to the running ones and starts its worker, or rejects it.
    void add_running(SharedWatcher watcher);
    std::uint64_t next_watcher_id() noexcept { return next_watcher_id_.fetch_add(1) + 1; }
    std::uint64_t watchers_made() const noexcept { return next_watcher_id_.load(); }

    engine::Engine& engine() noexcept { return *engine_; }
    Router& router() noexcept { return router_; }
    const Router& router() const noexcept { return router_; }
    Timekeeper& timekeeper() noexcept { return timekeeper_; }
    Shutdown& shutdown() noexcept { return shutdown_; }
    const Shutdown& shutdown() const noexcept { return shutdown_; }
    Registry& registry() noexcept { return registry_; }
    const Registry& registry() const noexcept { return registry_; }
    Counters& counters() noexcept { return counters_; }
    const Counters& counters() const noexcept { return counters_; }
    const watch::Hub& hub() const noexcept { return feed_->hub(); }
    const std::shared_ptr<watch::SharedBytes>& inbox_bytes() const noexcept { return inbox_bytes_; }
    /// Returns the life of the context that the database was opened on.
    const std::shared_ptr<async::ContextLife>& life() const noexcept { return strand_.life(); }

private:
    void context_shutdown() noexcept override;
    void stage_failed(std::exception_ptr error) override;
    void removed(const SharedWatcher& watcher) noexcept override;
    void add(const SharedWatcher& watcher);

    const Options options_;
    const std::shared_ptr<engine::Engine> engine_;
    const std::shared_ptr<Feed> feed_;
    const std::shared_ptr<watch::SharedBytes> inbox_bytes_;
    std::atomic<std::uint64_t> next_watcher_id_{0};
    Counters counters_;
    Registry registry_;
    PipelineStrand strand_;
    RunningSet running_;
    Router router_;
    Timekeeper timekeeper_;
    Shutdown shutdown_;
};

}  // namespace keywatch::pipeline
