// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace keywatch {

/// A number of `Stats` or of `WatcherInfo` that any thread may read.
using Counter = std::atomic<std::uint64_t>;

/// Adds to a counter that is written by one thread at a time; cheaper than an atomic addition.
inline void add_alone(Counter& counter, std::uint64_t count) noexcept
{
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

}  // namespace keywatch
