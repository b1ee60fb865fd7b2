// SPDX-License-Identifier: BSL-1.0
#include <keywatch/pull_watcher.hpp>

#include "delivery/pulled_watcher.hpp"

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

template <class T>
const std::vector<T>* some_of(const std::vector<T>& list)
{
    return list.empty() ? nullptr : &list;
}

}  // namespace

PulledCommit::PulledCommit(std::shared_ptr<const CommitRecord> record,
                           std::vector<std::uint32_t> selected, std::vector<Revision> since,
                           std::uint32_t seen)
    : Commit(*record, nullptr, nullptr, seen),
      record_(std::move(record)),
      selected_(std::move(selected)),
      since_(std::move(since))
{
    Commit::operator=(with(some_of(selected_), some_of(since_)));
}

PulledCommit::PulledCommit(const PulledCommit& other)
    : PulledCommit(other.record_, other.selected_, other.since_, other.seen())
{
}

PulledCommit::PulledCommit(PulledCommit&& other) noexcept
    : Commit(other),
      record_(std::move(other.record_)),
      selected_(std::move(other.selected_)),
      since_(std::move(other.since_))
{
    Commit::operator=(with(some_of(selected_), some_of(since_)));
}

PulledCommit& PulledCommit::operator=(PulledCommit other) noexcept
{
    record_.swap(other.record_);
    selected_.swap(other.selected_);
    since_.swap(other.since_);
    Commit::operator=(other.with(some_of(selected_), some_of(since_)));
    return *this;
}

PullWatcher::PullWatcher(const std::shared_ptr<delivery::PulledWatcher>& core)
    : core_(core.get(), [core](delivery::PulledWatcher*) { core->request_stop(); })
{
}

asio::awaitable<bool> PullWatcher::wait() &
{
    return delivery::PulledWatcher::wait(core_->shared());
}

std::optional<PulledCommit> PullWatcher::try_next()
{
    watch::Outbox::Answer answer = core_->take();
    std::optional<PulledCommit> commit;
    if (answer.there) {
        commit.emplace(std::move(answer.entry.commit), std::move(answer.entry.selected),
                       std::move(answer.entry.since), answer.entry.seen);
    }
    return commit;
}

std::optional<WatchEnd> PullWatcher::ended() const
{
    return core_->ended();
}

asio::awaitable<void> PullWatcher::wait_ready(std::chrono::milliseconds timeout) const
{
    return delivery::PulledWatcher::wait_ready(core_->shared(), timeout);
}

asio::awaitable<void> PullWatcher::stop() const
{
    return delivery::PulledWatcher::stop(core_->shared());
}

void PullWatcher::request_stop() const
{
    core_->request_stop();
}

asio::awaitable<void> PullWatcher::drain() const
{
    return delivery::PulledWatcher::drain(core_->shared());
}

void PullWatcher::request_drain() const
{
    core_->request_drain();
}

asio::awaitable<void> PullWatcher::reached(Revision revision) const
{
    return delivery::PulledWatcher::reached(core_->shared(), revision);
}

Position PullWatcher::position() const
{
    return core_->position();
}

WatcherInfo PullWatcher::info() const
{
    return core_->info();
}

std::uint64_t PullWatcher::id() const noexcept
{
    return core_->id();
}

const std::string& PullWatcher::name() const noexcept
{
    return core_->name();
}

}  // namespace keywatch
