// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::bytes {

/// A pattern of a whole name, byte by byte, NUL and all others included:
///
///     *        any bytes, also none     [abc]   one of these     [a-z]   one of this range
///     ?        one byte                 [!abc]  none of these    \x      x itself, also in [ ]
///
/// In brackets a minus sign stands for itself where it is first or last. No locale, no byte that
/// `*` does not match. Matching takes at most (length of pattern) * (length of text) steps.
///
/// Unlike fnmatch(3), it does not stop at a NUL and refuses what has no meaning.
class Glob {
public:
    /// `Error::invalid_pattern`: an open bracket, nothing in it, a range that goes backwards, a
    /// backslash at the end.
    explicit Glob(std::string_view pattern);

    bool matches(std::string_view text) const;

    /// What every text begins with that matches: all up to the first place with a choice.
    std::string literal_prefix() const;

private:
    using Bytes = std::bitset<256>;
    struct Part {
        bool any = false;  ///< `*`; else one byte
        Bytes bytes;
    };

    bool matches_one(std::size_t part, char byte) const;

    /// No two `*` beside each other.
    std::vector<Part> parts_;
    std::size_t shortest_ = 0;  ///< length of the shortest text that matches
};

}  // namespace keywatch::bytes
