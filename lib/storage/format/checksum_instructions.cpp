// SPDX-License-Identifier: BSL-1.0
#include "checksum.hpp"
#include "checksum_tables.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace keywatch::storage::checksum {

#if defined(__x86_64__)

namespace {

std::uint64_t load(const char* bytes) noexcept
{
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

/// Processes three stretches in parallel: the instruction takes three cycles, and one can begin in
/// each cycle.
template <std::size_t stretch>
[[gnu::target("sse4.2")]] std::uint32_t extend_three(std::uint32_t state,
                                                     const char* bytes) noexcept
{
    // Constexpr would exceed the number of evaluation steps that clang allows.
    static const ShiftTables tables = make_shift_tables(stretch);
    std::uint64_t first = state;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < stretch; i += 8) {
        first = _mm_crc32_u64(first, load(bytes + i));
        second = _mm_crc32_u64(second, load(bytes + stretch + i));
        third = _mm_crc32_u64(third, load(bytes + 2 * stretch + i));
    }
    const std::uint32_t two =
        shift(tables, static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
    return shift(tables, two) ^ static_cast<std::uint32_t>(third);
}

[[gnu::target("sse4.2")]] std::uint32_t extend_sse42(std::uint32_t state, const char* bytes,
                                                     std::size_t size) noexcept
{
    constexpr std::size_t large = 1360;  // three of them nearly fill a block of 4096 bytes
    constexpr std::size_t small = 168;
    for (; size >= 3 * large; bytes += 3 * large, size -= 3 * large) {
        state = extend_three<large>(state, bytes);
    }
    for (; size >= 3 * small; bytes += 3 * small, size -= 3 * small) {
        state = extend_three<small>(state, bytes);
    }
    std::uint64_t word = state;
    for (; size >= 8; bytes += 8, size -= 8) {
        word = _mm_crc32_u64(word, load(bytes));
    }
    state = static_cast<std::uint32_t>(word);
    for (; size > 0; ++bytes, --size) {
        state = _mm_crc32_u8(state, static_cast<unsigned char>(*bytes));
    }
    return state;
}

}  // namespace

Extend extend_by_instructions() noexcept
{
    return __builtin_cpu_supports("sse4.2") ? extend_sse42 : nullptr;
}

#else

Extend extend_by_instructions() noexcept
{
    return nullptr;
}

#endif

}  // namespace keywatch::storage::checksum
