// SPDX-License-Identifier: BSL-1.0
#include "failure.hpp"

#include <keywatch/error.hpp>
#include <keywatch/key_pattern.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

constexpr std::size_t max_pattern_bytes = 4096;

/// The maximum memory, in bytes, for a compiled pattern and for the automaton that is built from it
/// during matching.
constexpr std::int64_t max_memory = std::int64_t{1} << 20;

/// The maximum product of the length of a key and the number of instructions of the compiled
/// pattern. RE2 takes at most some 20 ns for each byte and each instruction, a few tenths of a
/// second in all. That is rare: mostly, a byte costs 1 ns for all instructions together.
constexpr std::size_t max_steps = std::size_t{1} << 24;

/// The maximum length of the text from RE2 about a pattern, which may repeat the whole pattern.
constexpr std::size_t most_said = 200;

re2::StringPiece piece(std::string_view bytes)
{
    return {bytes.data(), bytes.size()};
}

re2::RE2::Options options()
{
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // byte by byte
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_max_mem(max_memory);
    options.set_log_errors(false);
    return options;
}

}  // namespace

class KeyPattern::Compiled {
public:
    explicit Compiled(std::string_view pattern) : regex_(piece(checked(pattern)), options())
    {
        if (!regex_.ok()) {
            fail(Error::invalid_pattern, regex_.error().substr(0, most_said));
        }
    }

    bool matches(std::string_view key) const
    {
        if (key.size() > max_steps / instructions()) {
            fail(Error::pattern_too_complex, "a key of " + std::to_string(key.size()) + " bytes");
        }
        return regex_.Match(piece(key), 0, key.size(), re2::RE2::UNANCHORED, nullptr, 0);
    }

private:
    static std::string_view checked(std::string_view pattern)
    {
        if (pattern.size() > max_pattern_bytes) {
            fail(Error::invalid_pattern, "longer than 4096 bytes");
        }
        return pattern;
    }

    std::size_t instructions() const
    {
        return static_cast<std::size_t>(std::max(regex_.ProgramSize(), 1));
    }

    const re2::RE2 regex_;
};

KeyPattern::KeyPattern(std::string_view pattern)
    : compiled_(std::make_shared<const Compiled>(pattern))
{
}

bool KeyPattern::matches(std::string_view key) const
{
    return compiled_->matches(key);
}

}  // namespace keywatch
