// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pull_sink.hpp"
#include "watcher_impl.hpp"

#include "watch/outbox.hpp"

#include <keywatch/watcher.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// The implementation of a pulled watch: instead of a callback, it has a consumer that asks for the
/// next commit. It runs from the first call of `wait` on.
class PulledWatcher final : public WatcherImpl {
public:
    /// Throws if a selector is invalid: see Subscription. See WatcherImpl::make.
    PulledWatcher(std::shared_ptr<pipeline::Pipeline> pipeline, const Selectors& selectors,
                  const WatchOptions& options, const Position& start);

    // Functions of the handle: see PullWatcher. Any thread.
    static asio::awaitable<bool> wait(std::shared_ptr<PulledWatcher> self);
    watch::Outbox::Answer take();
    std::optional<WatchEnd> ended() const;
    std::shared_ptr<PulledWatcher> shared()
    {
        return std::static_pointer_cast<PulledWatcher>(shared_from_this());
    }

    void offer_executor(const asio::any_io_executor& executor) override { use_executor(executor); }

private:
    void begin_once();
    /// Applies what the consumer has done to the visible position and the counters. If the batch
    /// was handed back, starts the worker.
    void apply(const watch::Outbox::Answer& answer);
    PullSink& pull_sink() noexcept { return static_cast<PullSink&>(sink()); }

    std::atomic<bool> waiting_{false};
};

}  // namespace keywatch::delivery
