// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::bytes {

/// A pattern for a whole name. It matches byte by byte, NUL and all other bytes included:
///
///     *        zero or more bytes       [abc]   one of these     [a-z]   one of this range
///     ?        one byte                 [!abc]  none of these    \x      x itself, even in [ ]
///
/// In brackets, a minus sign that is first or last matches itself. There is no locale, and `*`
/// matches every byte. Matching takes at most (length of pattern) * (length of text) steps.
///
/// Unlike fnmatch(3), it does not stop at a NUL and rejects malformed patterns.
class Glob {
public:
    /// Throws `Error::invalid_pattern` if a bracket is not closed, brackets are empty, a range is
    /// reversed, or the pattern ends in a backslash.
    explicit Glob(std::string_view pattern);

    bool matches(std::string_view text) const;

    /// Returns the prefix of every text that matches: everything up to the first part with a
    /// choice.
    std::string literal_prefix() const;

private:
    using Bytes = std::bitset<256>;
    struct Part {
        bool any = false;  ///< true for `*`; otherwise the part is one of `bytes`
        Bytes bytes;
    };

    bool matches_one(std::size_t part, char byte) const;

    /// The parts of the pattern. No two `*` are adjacent.
    std::vector<Part> parts_;
    std::size_t shortest_ = 0;  ///< length of the shortest text that matches
};

}  // namespace keywatch::bytes
