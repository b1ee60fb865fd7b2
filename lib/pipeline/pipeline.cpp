// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

std::shared_ptr<Pipeline> Pipeline::start(const asio::any_io_executor& executor,
                                          std::shared_ptr<engine::Engine> engine,
                                          std::shared_ptr<Feed> feed, const Options& options)
{
    auto pipeline =
        std::make_shared<Pipeline>(executor, std::move(engine), std::move(feed), options);
    pipeline->strand_.set_owner(pipeline);
    async::ContextService::add(executor, pipeline);
    if (options.enable_watch) {
        pipeline->feed_->attach(pipeline->strand_.share(&pipeline->router_));
        pipeline->router_.start();
    }
    return pipeline;
}

Pipeline::Pipeline(const asio::any_io_executor& executor, std::shared_ptr<engine::Engine> engine,
                   std::shared_ptr<Feed> feed, const Options& options)
    : options_(options),
      engine_(std::move(engine)),
      feed_(std::move(feed)),
      inbox_bytes_(std::make_shared<watch::SharedBytes>(options.watch_bytes)),
      strand_(executor),
      router_(strand_, *engine_, *feed_, options_, counters_, running_, *this),
      timekeeper_(strand_, running_, *this),
      shutdown_(strand_, *engine_, router_, timekeeper_, running_, registry_)
{
}

void Pipeline::add_running(SharedWatcher watcher)
{
    // If the strand is gone, this throws: run() must not wait for ever.
    asio::post(strand_.executor(), [self = shared_from_this(), watcher = std::move(watcher)] {
        std::exception_ptr error;
        try {
            self->add(watcher);
        } catch (...) {
            error = std::current_exception();
        }
        if (error) {
            watcher->rejected(error);
        }
    });
}

void Pipeline::add(const SharedWatcher& watcher)
{
    watcher->offer_executor(strand_.database_executor());
    running_.add(watcher);
    if (running_.size() == 1) {
        // No watch is in the index yet, so no commit up to the durable head has to be pushed.
        // Commits up to the head that are still on their way are not routed: see Router::route.
        feed_->resume();
        router_.skip_to(engine_->durable_head());
    }
    add_alone(counters_.entered, 1);
    watcher->added();
}

void Pipeline::removed(const SharedWatcher& watcher) noexcept
{
    timekeeper_.remove(*watcher);
    if (running_.remove(*watcher)) {
        add_alone(counters_.ended, 1);
        if (running_.empty()) {
            feed_->pause();
        }
    }
    shutdown_.removed(watcher);
}

void Pipeline::stage_failed(std::exception_ptr error)
{
    router_.abandon_commit();
    running_.fail(std::move(error));
}

/// Releases everything that belongs to the context. The service destroys the coroutines that wait
/// on it. Those of other contexts are completed here.
void Pipeline::context_shutdown() noexcept
{
    strand_.set_gone();
    shutdown_.context_shutdown();
    const std::vector<SharedWatcher> running = running_.release();
    add_alone(counters_.ended, running.size());
    const std::vector<SharedWatcher> watchers = registry_.all();
    router_.context_shutdown();
    timekeeper_.clear();
    for (const SharedWatcher& watcher : watchers) {
        watcher->context_shutdown();
    }
    shutdown_.release();
    strand_.release();
}

}  // namespace keywatch::pipeline
