// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Numbers that are stored as decimal text.
namespace keywatch::structures {

/// Parses only what `std::to_string` writes: no space, no plus sign, no superfluous zero, no minus
/// zero. So adding 0 to a number would not change its text.
std::optional<std::int64_t> parse_number(std::string_view text);

// The following return nothing if the result does not fit.
std::optional<std::int64_t> sum(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> difference(std::int64_t a, std::int64_t b);

}  // namespace keywatch::structures
