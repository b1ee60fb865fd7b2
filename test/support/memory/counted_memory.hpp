// SPDX-License-Identifier: BSL-1.0
#pragma once

// Every allocation of the program that includes this, in one file, is counted in bytes.
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace keywatch::test {

inline std::atomic<std::size_t> allocated{0};
inline std::atomic<std::size_t> most{0};

/// Null where there is no memory.
inline void* allocate(std::size_t size) noexcept
{
    void* const memory = std::malloc(size != 0 ? size : 1);
    if (memory == nullptr) {
        return nullptr;
    }
    const std::size_t now = allocated += malloc_usable_size(memory);
    std::size_t before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    return memory;
}

inline void release(void* memory) noexcept
{
    if (memory != nullptr) {
        allocated -= malloc_usable_size(memory);
        std::free(memory);
    }
}

/// How much more is allocated than when it was made.
struct Peak {
    std::size_t before = allocated;
    Peak() { most = allocated.load(); }
    /// At the most, and now.
    std::size_t grown() const { return most - before; }
    std::size_t left() const { return allocated > before ? allocated - before : 0; }
};

}  // namespace keywatch::test

// Weak, as sanitizers may bring their own: with those nothing is counted.
// All forms of new and delete that are not aligned (those for arrays call these): who allocates by
// one and releases by the other, as algorithms with a temporary buffer do, must not meet two kinds.
[[gnu::weak]] void* operator new(std::size_t size)
{
    if (void* const memory = keywatch::test::allocate(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::weak]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return keywatch::test::allocate(size);
}
[[gnu::weak]] void operator delete(void* memory) noexcept
{
    keywatch::test::release(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept
{
    keywatch::test::release(memory);
}
[[gnu::weak]] void operator delete(void* memory, const std::nothrow_t&) noexcept
{
    keywatch::test::release(memory);
}
