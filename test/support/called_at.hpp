// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>
#include <string>

namespace keywatch::test {

/// Returns the text that a helper adds to its failures: the line of the test that called it. The
/// helper has a last parameter `std::source_location where = std::source_location::current()`.
inline std::string called_at(const std::source_location& where)
{
    std::string file = where.file_name();
    while (file.starts_with("../")) {
        file.erase(0, 3);
    }
    return "called at " + file + ':' + std::to_string(where.line());
}

}  // namespace keywatch::test
