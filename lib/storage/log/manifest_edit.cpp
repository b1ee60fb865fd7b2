// SPDX-License-Identifier: BSL-1.0
#include "manifest_edit.hpp"

#include "bytes/numbers.hpp"

namespace keywatch::storage {

namespace {

/// The tags of LevelDB. It writes these five before all others.
enum class Tag : std::uint64_t {
    comparator = 1,
    log = 2,
    next_file = 3,
    last_sequence = 4,
    previous_log = 9,
};

}  // namespace

ManifestEdit parse_edit(std::string_view record)
{
    ManifestEdit edit;
    bytes::ByteReader reader(record);
    while (reader.left() > 0) {
        switch (static_cast<Tag>(reader.varint())) {
        case Tag::comparator:
            reader.string();
            break;
        case Tag::log:
            edit.log = reader.varint();
            break;
        case Tag::last_sequence:
            edit.last_sequence = reader.varint();
            break;
        case Tag::next_file:
        case Tag::previous_log:
            reader.varint();
            break;
        default:
            return edit;
        }
    }
    return edit;
}

}  // namespace keywatch::storage
