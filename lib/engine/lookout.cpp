// SPDX-License-Identifier: BSL-1.0
#include "lookout.hpp"

#include <utility>

namespace keywatch::engine {

Lookout::Lookout(std::weak_ptr<const void> owner, async::WorkerThread& thread,
                 std::function<bool()> look)
    : owner_(std::move(owner)), thread_(thread), look_(std::move(look))
{
}

void Lookout::arm()
{
    if (armed_.load(std::memory_order_relaxed) || armed_.exchange(true)) {
        return;
    }
    if (const auto owner = owner_.lock()) {
        thread_.post_after(period, [self = shared_from_this()] { self->tick(); });
    }
}

void Lookout::tick()
{
    armed_ = false;  // before it looks: what is armed from now on may not be seen
    if (look_()) {
        arm();
    }
}

}  // namespace keywatch::engine
