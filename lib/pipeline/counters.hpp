// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/counter.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace keywatch::pipeline {

/// The numbers that the pipeline counts for `Stats`. Any thread may read them.
struct Counters {
    // Written on the pipeline's strand.
    Counter read_from_history{0};
    Counter batches{0};
    Counter commits{0};
    Counter messages{0};
    Counter entries{0};
    Counter fell_behind{0};
    Counter entered{0};
    Counter ended{0};

    // Written by all workers, so on a cache line of their own.
    alignas(64) Counter commits_delivered{0};
    Counter messages_delivered{0};
};

/// Counts what a worker delivers, and adds that to the counters when it is destroyed, so that
/// workers on several threads do not contend for each commit.
class Tally {
public:
    explicit Tally(Counters& counters) : counters_(counters) {}
    Tally(const Tally&) = delete;
    Tally& operator=(const Tally&) = delete;
    ~Tally()
    {
        if (commits_ != 0) {
            counters_.commits_delivered.fetch_add(commits_, std::memory_order_relaxed);
            counters_.messages_delivered.fetch_add(messages_, std::memory_order_relaxed);
        }
    }

    void delivered(std::size_t messages) noexcept
    {
        ++commits_;
        messages_ += messages;
    }

private:
    Counters& counters_;
    std::uint64_t commits_ = 0;
    std::uint64_t messages_ = 0;
};

}  // namespace keywatch::pipeline
