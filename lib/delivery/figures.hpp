// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/counter.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace keywatch::delivery {

/// The numbers that a watch counts for `WatcherInfo`. Any thread may read them. Each is written by
/// one thread at a time.
struct Figures {
    // Written by the thread that delivers: that of the worker, or that of the consumer of a pulled
    // watch.
    Counter commits{0};
    Counter messages{0};
    Counter callback_nanoseconds{0};
    Counter longest_nanoseconds{0};

    // Written by the worker.
    Counter coalesced{0};

    void delivered(std::size_t count) noexcept
    {
        add_alone(commits, 1);
        add_alone(messages, count);
    }
    void called_back(std::chrono::nanoseconds time) noexcept
    {
        const auto nanoseconds = static_cast<std::uint64_t>(time.count());
        add_alone(callback_nanoseconds, nanoseconds);
        if (longest_nanoseconds.load(std::memory_order_relaxed) < nanoseconds) {
            longest_nanoseconds.store(nanoseconds, std::memory_order_relaxed);
        }
    }
};

}  // namespace keywatch::delivery
