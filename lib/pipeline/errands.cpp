// SPDX-License-Identifier: BSL-1.0
#include "errands.hpp"

#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace keywatch::pipeline {

void WatcherCore::post_errand(Errands::Kind kind)
{
    switch (kind) {
    case Errands::wake:
        post_wake_up();
        break;
    case Errands::cancel:
        post_cancel();
        break;
    case Errands::leave:
        pipeline_->leave(shared_from_this());
        break;
    }
}

void WatcherCore::post_cancel()
{
    const std::lock_guard lock(mutex());
    const auto hold = hold_context();
    if (hold && strand_) {
        asio::post(strand_, [worker = worker_] {
            if (const auto watchdog = worker.lock()) {
                watchdog->cancel();
            }
        });
    }
}

std::uint8_t Errands::post(std::uint8_t kinds) noexcept
{
    std::uint8_t failed = 0;
    for (const Kind kind : {wake, cancel, leave}) {
        if ((kinds & kind) == 0) {
            continue;
        }
        try {
            watcher_.post_errand(kind);
        } catch (...) {
            failed = static_cast<std::uint8_t>(failed | kind);
        }
    }
    return failed;
}

void Errands::run(Kind kind) noexcept
{
    if (post(kind) == 0) {
        return;
    }
    {
        const std::lock_guard lock(watcher_.mutex());
        waiting_ = static_cast<std::uint8_t>(waiting_ | kind);
        if (std::exchange(listed_, true)) {
            return;
        }
        keep_ = watcher_.shared_from_this();
    }
    async::Undelivered::add(*this);
}

bool Errands::deliver() noexcept
{
    // A thread of another database may call this while the context of this one is being destroyed.
    const async::ContextLife::Hold hold(watcher_.pipeline_->life());
    std::uint8_t kinds = 0;
    {
        const std::lock_guard lock(watcher_.mutex());
        kinds = std::exchange(waiting_, std::uint8_t{0});
    }
    const std::uint8_t failed = hold ? post(kinds) : std::uint8_t{0};
    std::shared_ptr<WatcherCore> keep;  // released after the lock: the watch owns the mutex
    const std::lock_guard lock(watcher_.mutex());
    waiting_ = static_cast<std::uint8_t>(waiting_ | failed);
    if (waiting_ != 0) {
        return false;
    }
    listed_ = false;
    keep = std::move(keep_);
    return true;
}

}  // namespace keywatch::pipeline
