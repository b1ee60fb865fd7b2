// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keywatch::storage {

/// The fields of a manifest record of LevelDB that concern its logs.
struct ManifestEdit {
    /// The oldest log that is still needed: the contents of older ones are in tables. 0 if none is
    /// needed.
    std::optional<std::uint64_t> log;
    /// The sequence of the newest entry at the time the record was written.
    std::optional<std::uint64_t> last_sequence;
};

ManifestEdit parse_edit(std::string_view record);

}  // namespace keywatch::storage
