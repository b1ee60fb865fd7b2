// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// A regular expression that selects keys: those in which it is found, wherever that is.
///
/// Its syntax is Perl's, as Boost.Regex knows it, without recursion (`(?R)`, `(?1)`) and without
/// backtracking verbs (`(*SKIP)`). It works byte by byte, NUL and high bytes included: `.` is any
/// byte, `^` and `$` are the two ends of the key and nothing else, and classes such as `\w` are
/// those of ASCII, whatever the locale.
///
/// How many steps one key may take is limited, so one that would take for ever is an error after
/// some milliseconds. What grows faster than the key does (`a.*b`, where there is no `b`) meets the
/// limit with keys of some ten thousand bytes, nested repeats such as `(a+)+$` much earlier.
///
/// Copies share what was compiled. Thread safety: it does not change, and may be used from several
/// threads.
class KeyPattern {
public:
    /// `Error::invalid_pattern` for one that is not well-formed, has parts that are not supported,
    /// or is longer than 4096 bytes; the exception's message says what is wrong.
    explicit KeyPattern(std::string_view pattern);

    /// `Error::pattern_too_complex`, as said above.
    bool matches(std::string_view key) const;

private:
    class Compiled;

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace keywatch
