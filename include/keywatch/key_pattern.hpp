// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// A regular expression that selects the keys in which a match is found at any place.
///
/// The syntax is that of RE2: Perl's syntax without backreferences, look-around and atomic groups.
/// Repetition counts may be up to 1000. Matching is byte by byte, including NUL and high bytes: `.`
/// matches any byte, `^` and `$` match the two ends of the key (ends of lines only after `(?m)`),
/// and classes such as `\w` are those of ASCII in every locale. `(?i)` and `\pL` treat bytes as
/// letters of Latin-1.
///
/// The time for a key grows with its length. It is usually 1 ns a byte, and at most about 20 ns for
/// each byte and each instruction of the compiled pattern. A pattern has about one instruction for
/// each character; a repeated part counts as often as it is repeated. The product of key length and
/// instructions is limited to 2^24, for example keys of 64 KiB with 256 instructions.
///
/// Copies share the compiled pattern, which takes at most about 1 MiB. Thread safety: a pattern is
/// immutable and may be used from several threads.
class KeyPattern {
public:
    /// Compiles a pattern. Throws `Error::invalid_pattern` if the pattern is malformed, has parts
    /// that are not supported, or is longer than 4096 bytes. The message of the exception says what
    /// is wrong.
    explicit KeyPattern(std::string_view pattern);

    /// Returns true if a match is found in the key. Throws `Error::pattern_too_complex` if the key
    /// is too long for the pattern, see above.
    bool matches(std::string_view key) const;

private:
    class Compiled;

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace keywatch
