// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keywatch::storage {

/// What a record of LevelDB's manifest says of its logs.
struct ManifestEdit {
    /// The oldest log that is still needed: what older ones hold is in tables. 0: none is.
    std::optional<std::uint64_t> log;
    /// The sequence of the newest entry when this was written.
    std::optional<std::uint64_t> last_sequence;
};

ManifestEdit parse_edit(std::string_view record);

}  // namespace keywatch::storage
