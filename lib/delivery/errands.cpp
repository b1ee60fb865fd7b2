// SPDX-License-Identifier: BSL-1.0
#include "errands.hpp"

#include "watcher_impl.hpp"

#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace keywatch::delivery {

void WatcherImpl::post_errand(Errands::Kind kind)
{
    switch (kind) {
    case Errands::wake:
        post_run();
        break;
    case Errands::cancel:
        post_cancel();
        break;
    case Errands::leave:
        context_.pipeline->router().remove(shared_from_this());
        break;
    }
}

void WatcherImpl::post_cancel()
{
    const std::lock_guard lock(mutex());
    const auto hold = hold_context();
    if (hold && strand_) {
        asio::post(strand_, [worker = worker_.watchdog()] {
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
        keep_ = watcher_.shared();
    }
    async::Undelivered::add(*this);
}

bool Errands::deliver() noexcept
{
    // A thread of another database may call this while the context of this one is being destroyed.
    const async::ContextLife::Hold hold(watcher_.context_.pipeline->life());
    std::uint8_t kinds = 0;
    {
        const std::lock_guard lock(watcher_.mutex());
        kinds = std::exchange(waiting_, std::uint8_t{0});
    }
    const std::uint8_t failed = hold ? post(kinds) : std::uint8_t{0};
    std::shared_ptr<WatcherImpl> keep;  // released after the lock: the watch owns the mutex
    const std::lock_guard lock(watcher_.mutex());
    waiting_ = static_cast<std::uint8_t>(waiting_ | failed);
    if (waiting_ != 0) {
        return false;
    }
    listed_ = false;
    keep = std::move(keep_);
    return true;
}

}  // namespace keywatch::delivery
