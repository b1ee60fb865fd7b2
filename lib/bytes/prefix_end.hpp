// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keywatch::bytes {

/// Returns the first key after all keys that begin with `prefix`, or nullopt if there is none.
inline std::optional<std::string> prefix_end(std::string_view prefix)
{
    while (!prefix.empty() && prefix.back() == '\xff') {
        prefix.remove_suffix(1);
    }
    if (prefix.empty()) {
        return std::nullopt;
    }
    std::string end(prefix);
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

}  // namespace keywatch::bytes
