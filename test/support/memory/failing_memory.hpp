// SPDX-License-Identifier: BSL-1.0
#pragma once

// Lets allocations of one thread fail. To be included by one file of the program.
#include "support/engine/code_range.hpp"

#include <execinfo.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace keywatch::test {

/// Counts the allocations of one thread down to those that fail. Allocations of other threads never
/// fail.
struct Countdown {
    bool armed = false;
    /// Number of allocations that succeed before the first one that fails.
    std::uint64_t left = 0;
    /// Number of consecutive allocations that then fail.
    std::uint64_t failing = 0;
    /// Number of allocations that have failed.
    std::uint64_t failed = 0;
    /// Greater than 0 while allocations of the test itself are not counted.
    int spared = 0;
    /// True if a stack is written to the error output for each allocation that fails.
    bool traced = false;
    /// Number of all allocations, counted or not.
    std::uint64_t seen = 0;
};

inline constinit thread_local Countdown countdown;

/// Makes allocation number `nth` of this thread (from 0, starting now) and the following ones fail:
/// `failing` in total.
inline void arm(std::uint64_t nth, std::uint64_t failing = 1) noexcept
{
    countdown.left = nth;
    countdown.failing = failing;
    countdown.failed = 0;
    countdown.armed = true;
}

/// Lets all allocations succeed again.
inline void disarm() noexcept
{
    countdown.armed = false;
}

/// Excludes the allocations of the test's own bookkeeping on this thread from being counted.
class Spared {
public:
    Spared() noexcept { ++countdown.spared; }
    Spared(const Spared&) = delete;
    Spared& operator=(const Spared&) = delete;
    ~Spared() { --countdown.spared; }
};

/// Counts allocations again, within a scope of `Spared`.
class Counted {
public:
    Counted() noexcept : spared_(countdown.spared) { countdown.spared = 0; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { countdown.spared = spared_; }

private:
    const int spared_;
};

inline void trace_failure() noexcept
{
    const Spared spared;
    void* frames[64];
    const int size = ::backtrace(frames, 64);
    constexpr char title[] = "the allocation that fails:\n";
    if (::write(STDERR_FILENO, title, sizeof title - 1) > 0) {
        ::backtrace_symbols_fd(frames, size, STDERR_FILENO);
    }
}

struct HopelessPlaces {
    CodeRange making_a_strand = range_of_function("keywatch5async11SmallStrand2onE");
    CodeRange looking_up = range_of_function("keywatch7storage5Store4Impl3getB5cxx11E");
    CodeRange leveldb = loaded("libleveldb").code;
};

/// Returns true if a failure of this allocation cannot be survived (doc/errors.md). One such place
/// is the creation of an Asio strand, which Asio destroys when it is half constructed. Another is
/// LevelDB with its mutex held, which it would not release, as it is built without exceptions; its
/// `Get` allocates without holding the mutex.
inline bool is_hopeless() noexcept
{
    const Spared spared;
    static const HopelessPlaces places;
    void* frames[64];
    const int size = ::backtrace(frames, 64);
    bool in_leveldb = false;
    for (int i = 0; i < size; ++i) {
        if (places.making_a_strand.holds(frames[i])) {
            return true;
        }
        if (places.looking_up.holds(frames[i])) {
            return false;
        }
        in_leveldb |= places.leveldb.holds(frames[i]);
    }
    return in_leveldb;
}

/// Counts an allocation, and returns true if it fails.
inline bool allocation_fails() noexcept
{
    Countdown& mine = countdown;
    ++mine.seen;
    if (!mine.armed || mine.spared > 0) {
        return false;
    }
    if (mine.left > 0) {
        --mine.left;
        return false;
    }
    if (mine.failing == 0) {
        mine.armed = false;
        return false;
    }
    if (is_hopeless()) {
        return false;
    }
    --mine.failing;
    ++mine.failed;
    if (mine.traced) {
        trace_failure();
    }
    return true;
}

/// Returns null if the allocation fails. An alignment of 0 means that of malloc.
inline void* allocate(std::size_t size, std::size_t alignment = 0) noexcept
{
    if (allocation_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    size = size != 0 ? size : 1;
    if (alignment == 0) {
        return ::malloc(size);
    }
    void* memory = nullptr;
    alignment = alignment < sizeof(void*) ? sizeof(void*) : alignment;
    return ::posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}

inline void* allocate_or_throw(std::size_t size, std::size_t alignment = 0)
{
    if (void* const memory = allocate(size, alignment)) {
        return memory;
    }
    throw std::bad_alloc();
}

/// Returns true if the functions below are in effect. Sanitizers may have replaced them.
inline bool can_fail() noexcept
{
    const std::uint64_t before = countdown.seen;
    ::operator delete(::operator new(1));
    const std::uint64_t between = countdown.seen;
    ::free(::aligned_alloc(alignof(std::max_align_t), alignof(std::max_align_t)));
    return between != before && countdown.seen != between;
}

}  // namespace keywatch::test

// Weak, as sanitizers may bring their own functions. All forms are replaced, since memory allocated
// by one form may be released by another.
[[gnu::weak]] void* operator new(std::size_t size)
{
    return keywatch::test::allocate_or_throw(size);
}
[[gnu::weak]] void* operator new[](std::size_t size)
{
    return keywatch::test::allocate_or_throw(size);
}
[[gnu::weak]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return keywatch::test::allocate(size);
}
[[gnu::weak]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
    return keywatch::test::allocate(size);
}
[[gnu::weak]] void* operator new(std::size_t size, std::align_val_t alignment)
{
    return keywatch::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
[[gnu::weak]] void* operator new[](std::size_t size, std::align_val_t alignment)
{
    return keywatch::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
[[gnu::weak]] void* operator new(std::size_t size, std::align_val_t alignment,
                                 const std::nothrow_t&) noexcept
{
    return keywatch::test::allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::weak]] void* operator new[](std::size_t size, std::align_val_t alignment,
                                   const std::nothrow_t&) noexcept
{
    return keywatch::test::allocate(size, static_cast<std::size_t>(alignment));
}

[[gnu::weak]] void operator delete(void* memory) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory, std::size_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, const std::nothrow_t&) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory, const std::nothrow_t&) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::align_val_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory, std::align_val_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept
{
    ::free(memory);
}
[[gnu::weak]] void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept
{
    ::free(memory);
}

/// Used by Asio to allocate coroutine frames and handlers.
extern "C" [[gnu::weak]] void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
{
    return keywatch::test::allocate(size, alignment);
}
