// SPDX-License-Identifier: BSL-1.0
#include <keywatch/watcher.hpp>

#include "delivery/watcher_impl.hpp"

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

Watcher::Watcher(std::shared_ptr<delivery::WatcherImpl> core) : core_(std::move(core)) {}

asio::awaitable<WatchEnd> Watcher::run() &
{
    return delivery::WatcherImpl::run(core_);
}

asio::awaitable<void> Watcher::wait_ready(std::chrono::milliseconds timeout) const
{
    return delivery::WatcherImpl::wait_ready(core_, timeout);
}

asio::awaitable<void> Watcher::stop() const
{
    return delivery::WatcherImpl::stop(core_);
}

void Watcher::request_stop() const
{
    core_->request_stop();
}

asio::awaitable<void> Watcher::drain() const
{
    return delivery::WatcherImpl::drain(core_);
}

void Watcher::request_drain() const
{
    core_->request_drain();
}

asio::awaitable<void> Watcher::reached(Revision revision) const
{
    return delivery::WatcherImpl::reached(core_, revision);
}

Position Watcher::position() const
{
    return core_->position();
}

WatcherInfo Watcher::info() const
{
    return core_->info();
}

std::uint64_t Watcher::id() const noexcept
{
    return core_->id();
}

const std::string& Watcher::name() const noexcept
{
    return core_->name();
}

}  // namespace keywatch
