// SPDX-License-Identifier: BSL-1.0
#include "collector.hpp"

namespace keywatch::watch {

Collector::Step Collector::next()
{
    Hub::Taken taken = hub_.take(position_, budget_);
    if (taken.missing_up_to != 0) {
        missing_up_to_ = taken.missing_up_to;
        return Step::read_history;
    }
    if (taken.commits.empty()) {
        return Step::wait;
    }
    position_ = taken.commits.back()->revision;
    batch_ = {std::move(taken.commits), taken.bytes, position_, false};
    return Step::batch;
}

void Collector::read(std::vector<SharedCommit> commits, Revision reached)
{
    std::size_t bytes = 0;
    for (const SharedCommit& each : commits) {
        bytes += each->pinned_bytes();
    }
    position_ = reached;
    batch_ = {std::move(commits), bytes, position_, false};
}

void Collector::compacted(Revision oldest)
{
    position_ = oldest - 1;
    batch_ = {{}, 0, position_, true};
}

Batch Collector::take_batch()
{
    return std::exchange(batch_, Batch());
}

}  // namespace keywatch::watch
