// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>

/// Indexes as passed by users: negative ones count from the end, -1 is the last element.
namespace keywatch::structures::list {

/// The elements [begin, end).
struct Span {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const noexcept { return end - begin; }
};

/// Returns the absolute value, without overflow even for the smallest number.
constexpr std::uint64_t magnitude(std::int64_t number) noexcept
{
    const auto bits = static_cast<std::uint64_t>(number);
    return number < 0 ? 0 - bits : bits;
}

/// Returns nothing if there is no such element.
constexpr std::optional<std::uint64_t> resolve(std::int64_t index, std::uint64_t size) noexcept
{
    const std::uint64_t distance = magnitude(index);
    if (index < 0 ? distance > size : distance >= size) {
        return std::nullopt;
    }
    return index < 0 ? size - distance : distance;
}

/// Returns the existing elements from `first` up to and including `last`.
constexpr Span resolve(std::int64_t first, std::int64_t last, std::uint64_t size) noexcept
{
    const auto begin = resolve(first, size);
    const auto end = resolve(last, size);
    const bool none = (!begin && first >= 0) || (!end && last < 0);
    const Span span{begin.value_or(0), end ? *end + 1 : size};
    return none || span.begin >= span.end ? Span{} : span;
}

}  // namespace keywatch::structures::list
