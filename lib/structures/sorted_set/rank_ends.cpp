// SPDX-License-Identifier: BSL-1.0
#include "rank_ends.hpp"

#include "bytes/prefix_end.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

namespace keywatch::structures::sorted_set {

namespace {

bool plausible_fences(const LevelEnds& ends)
{
    return !ends.first.empty() && ends.first <= ends.last && bytes::prefix_end(ends.last);
}

}  // namespace

Ends::Ends(bytes::ByteReader& content, std::uint64_t size)
{
    std::uint64_t shortest = 1;  // no tail is empty, and none shorter than that of a lower level
    for (LevelEnds& ends : levels_) {
        ends.tail = content.varint();
        const bool has_fences = ends.tail < size;
        if (has_fences) {
            ends.first = content.string();
            ends.last = content.string();
        }
        if (content.failed() || ends.tail < shortest || ends.tail > size ||
            (has_fences && !plausible_fences(ends))) {
            fail(Error::damaged, "the header of a sorted set");
        }
        shortest = ends.tail;
    }
}

std::string Ends::content(std::uint64_t size) const
{
    std::string content;
    for (const LevelEnds& ends : levels_) {
        bytes::append_varint(content, ends.tail);
        if (ends.tail < size) {
            bytes::append_string(content, ends.first);
            bytes::append_string(content, ends.last);
        }
    }
    return content;
}

}  // namespace keywatch::structures::sorted_set
