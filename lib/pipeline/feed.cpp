// SPDX-License-Identifier: BSL-1.0
#include "feed.hpp"

#include "router.hpp"

namespace keywatch::pipeline {

void Feed::durable(std::shared_ptr<const CommitRecord> commit) noexcept
{
    if (!paused_.load() && hub_.append(std::move(commit))) {
        wake_collector();
    }
}

void Feed::durable_unseen(Revision revision) noexcept
{
    if (!paused_.load() && hub_.append_unseen(revision)) {
        wake_collector();
    }
}

void Feed::wake_collector() noexcept
{
    if (const auto router = router_.lock()) {
        router->wake_collector();
    }
}

}  // namespace keywatch::pipeline
