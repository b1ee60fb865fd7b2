// SPDX-License-Identifier: BSL-1.0
#include "workspace.hpp"

namespace keywatch::structures {

std::optional<std::string> prefix_end(std::string_view prefix)
{
    std::string end(prefix);
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) {
        end.pop_back();
    }
    if (end.empty()) {
        return std::nullopt;
    }
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

}  // namespace keywatch::structures
