// SPDX-License-Identifier: BSL-1.0
#include "lookout.hpp"

#include <utility>

namespace keywatch::embedded {

Lookout::Lookout(std::weak_ptr<const void> owner, async::WorkerThread& thread,
                 std::function<bool()> look)
    : owner_(std::move(owner)), thread_(thread), look_(std::move(look))
{
}

void Lookout::arm() noexcept
{
    // The caller has changed something under a mutex that `look` locks too. So if `armed_` is still
    // true here, the look that is due sees the change. Acquire pairs with the release in
    // on_timer(), after which `keep_` may be used again.
    if (armed_.load(std::memory_order_relaxed) ||
        armed_.exchange(true, std::memory_order_acquire)) {
        return;
    }
    if (!try_arm()) {
        keep_ = shared_from_this();
        async::Undelivered::add(*this);
    }
}

bool Lookout::try_arm() noexcept
{
    const auto owner = owner_.lock();
    if (!owner) {
        return true;
    }
    try {
        thread_.post_after(period, [self = shared_from_this()] { self->on_timer(); });
        return true;
    } catch (...) {
        return false;
    }
}

bool Lookout::deliver() noexcept
{
    const std::shared_ptr<Lookout> self = std::exchange(keep_, nullptr);
    if (try_arm()) {
        return true;
    }
    keep_ = self;
    return false;
}

void Lookout::on_timer()
{
    // Before the look, which may not see what is armed from now on. Pairs with the exchange in
    // arm().
    armed_.store(false, std::memory_order_release);
    if (look_()) {
        arm();
    }
}

}  // namespace keywatch::embedded
