// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// A regular expression that selects keys: those in which it is found, wherever that is.
///
/// Its syntax is RE2's: Perl's without backreferences, look-around and atomic groups. Repeats go up
/// to 1000. It works byte by byte, NUL and high bytes included: `.` is any byte, `^` and `$` the
/// two ends of the key (of lines only after `(?m)`), and classes such as `\w` are those of ASCII,
/// whatever the locale. To `(?i)` and `\pL` bytes are letters of Latin-1.
///
/// The time for a key grows with its length: mostly 1 ns a byte, at most some 20 for each byte and
/// each instruction of the compiled pattern, which has one for each character, and repeats as often
/// as they repeat. The product is limited to 2^24, so to keys of 64 KiB for 256 instructions.
///
/// Copies share what was compiled, at most about 1 MiB. Thread safety: it does not change, and may
/// be used from several threads.
class KeyPattern {
public:
    /// `Error::invalid_pattern` for one that is not well-formed, has parts that are not supported,
    /// or is longer than 4096 bytes; the exception's message says what is wrong.
    explicit KeyPattern(std::string_view pattern);

    /// `Error::pattern_too_complex` if the key is too long for the pattern, as said above.
    bool matches(std::string_view key) const;

private:
    class Compiled;

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace keywatch
