// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/subscription.hpp"

#include <keywatch/position.hpp>
#include <keywatch/watcher_info.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string_view>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// A watch, as the pipeline knows it. Every subscription in the pipeline's index is one.
class WatcherInterface : public watch::Subscription,
                         public std::enable_shared_from_this<WatcherInterface> {
public:
    WatcherInterface(const WatcherInterface&) = delete;
    WatcherInterface& operator=(const WatcherInterface&) = delete;
    virtual ~WatcherInterface() = default;

    // Any thread.
    /// Returns the number of the watch, in the order in which watches were created.
    virtual std::uint64_t id() const noexcept = 0;
    virtual WatcherInfo info() const = 0;
    /// Returns true if the watch runs and a change of this key would reach it.
    virtual bool would_reach(std::string_view bucket, std::string_view key) const = 0;
    /// Starts the worker. Called once for each time that the inbox reports that its worker slept.
    virtual void start_worker() noexcept = 0;
    /// Wakes the worker, even if it waits for a time or a revision.
    virtual void wake() = 0;
    /// Returns true if the watch has a use for being woken at this revision: it starts or ends
    /// there, or a coroutine waits for it.
    virtual bool waits_for(Revision revision) const = 0;
    /// Returns the revision after R (`routed`) at which the watch has to be woken next, or 0 if
    /// none.
    virtual Revision next_wake(Revision routed) = 0;
    /// Ends the watch when it has received everything up to this revision.
    virtual void close_at(Revision revision) = 0;
    /// Ends the watch and cancels its callback.
    virtual void close_now() = 0;
    /// Ends the watch with an error and cancels its callback.
    virtual void fail(std::exception_ptr error) = 0;
    /// Ends a watch that was never run, and completes its waiters. Does nothing for any other.
    virtual void database_closed() = 0;
    /// Returns true if a consumer may still be processing the commit that it pulled last.
    virtual bool consumer_is_busy() const = 0;
    /// Returns true if the callback runs on this executor.
    virtual bool runs_on(const asio::any_io_executor& executor) const = 0;

    // On the pipeline's strand.
    /// Passes the database's executor to a watch that is about to be added. For a watch that has no
    /// executor of its own.
    virtual void offer_executor(const asio::any_io_executor&) {}
    /// Called when the watch is one of the running ones. Starts its worker.
    virtual void added() = 0;
    /// Called instead of `added`: ends the watch with this error.
    virtual void rejected(std::exception_ptr error) = 0;

    /// Ends the watch without its worker. Called while the database's context is being destroyed.
    virtual void context_shutdown() noexcept = 0;

protected:
    using Subscription::Subscription;

private:
    friend class RunningSet;
    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    /// The place of the watch in the set of running ones. Used on the pipeline's strand.
    std::size_t running_index_ = nowhere;
};

using SharedWatcher = std::shared_ptr<WatcherInterface>;

/// Returns the watch to which a subscription of the pipeline's index belongs.
inline WatcherInterface& watcher_of(const watch::SharedSubscription& subscription) noexcept
{
    return static_cast<WatcherInterface&>(*subscription);
}

}  // namespace keywatch::pipeline
