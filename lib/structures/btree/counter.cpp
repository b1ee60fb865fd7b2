// SPDX-License-Identifier: BSL-1.0
#include "counter.hpp"

#include <charconv>
#include <limits>
#include <string>
#include <system_error>

namespace keywatch::structures {

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text)
{
    std::int64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{} || std::to_string(number) != text) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> sum(std::int64_t a, std::int64_t b)
{
    if (b < 0 ? a < least - b : a > most - b) {
        return std::nullopt;
    }
    return a + b;
}

std::optional<std::int64_t> difference(std::int64_t a, std::int64_t b)
{
    if (b < 0 ? a > most + b : a < least + b) {
        return std::nullopt;
    }
    return a - b;
}

}  // namespace keywatch::structures
