// SPDX-License-Identifier: BSL-1.0
#pragma once

// Counts every allocation of the program in bytes. To be included by one file of the program.
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace keywatch::test {

inline std::atomic<std::size_t> allocated{0};
inline std::atomic<std::size_t> most{0};

/// Returns null if there is no memory.
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

/// The growth of allocated memory since construction.
struct Peak {
    std::size_t before = allocated;
    Peak() { most = allocated.load(); }
    /// Return the largest and the current growth.
    std::size_t grown() const { return most - before; }
    std::size_t left() const { return allocated > before ? allocated - before : 0; }
};

}  // namespace keywatch::test

// Weak, as sanitizers may bring their own functions; nothing is counted then. All unaligned forms
// of new and delete are replaced (the array forms call these): code that allocates with one form
// and releases with another, such as algorithms with a temporary buffer, must not mix two
// implementations.
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
