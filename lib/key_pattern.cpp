// SPDX-License-Identifier: BSL-1.0
#include <keywatch/error.hpp>
#include <keywatch/key_pattern.hpp>

// How often Boost.Regex may try a state, for one key: some milliseconds. Its own limit is a hundred
// times that.
#undef BOOST_REGEX_MAX_STATE_COUNT
#define BOOST_REGEX_MAX_STATE_COUNT 1000000

#include <boost/regex.hpp>

#include <cstddef>
#include <locale>
#include <stdexcept>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

constexpr std::size_t max_pattern_bytes = 4096;

/// The classic locale's, not the program's. Its being a type of this file keeps all that is
/// compiled from Boost's templates with the limit above apart from what the program compiles.
struct ByteTraits : boost::cpp_regex_traits<char> {
    ByteTraits() { imbue(std::locale::classic()); }
};

using Regex = boost::basic_regex<char, ByteTraits>;

[[noreturn]] void fail(Error error, const std::string& what)
{
    throw boost::system::system_error(make_error_code(error), what);
}

/// Recursion copies with each step all that is open, and verbs such as `(*SKIP)` can go round for
/// ever without a step: with them the limit would be none.
bool has_unlimited_parts(const Regex& regex)
{
    namespace detail = boost::BOOST_REGEX_DETAIL_NS;
    for (auto state = regex.get_first_state(); state != nullptr; state = state->next.p) {
        if (state->type == detail::syntax_element_recurse ||
            state->type == detail::syntax_element_commit ||
            state->type == detail::syntax_element_then) {
            return true;
        }
    }
    return false;
}

Regex compile(std::string_view pattern)
{
    if (pattern.size() > max_pattern_bytes) {
        fail(Error::invalid_pattern, "longer than 4096 bytes");
    }
    Regex regex;
    try {
        regex.assign(pattern.data(), pattern.data() + pattern.size(), Regex::perl);
    } catch (const std::runtime_error& error) {
        fail(Error::invalid_pattern, error.what());
    }
    if (has_unlimited_parts(regex)) {
        fail(Error::invalid_pattern, "it has recursion or backtracking verbs");
    }
    return regex;
}

}  // namespace

class KeyPattern::Compiled {
public:
    explicit Compiled(std::string_view pattern) : regex_(compile(pattern)) {}

    bool matches(std::string_view key) const
    {
        return boost::regex_search(key.data(), key.data() + key.size(), regex_,
                                   boost::match_single_line);
    }

private:
    const Regex regex_;
};

KeyPattern::KeyPattern(std::string_view pattern)
    : compiled_(std::make_shared<const Compiled>(pattern))
{
}

bool KeyPattern::matches(std::string_view key) const
{
    try {
        return compiled_->matches(key);
    } catch (const std::runtime_error&) {
        fail(Error::pattern_too_complex, "a key of " + std::to_string(key.size()) + " bytes");
    }
}

}  // namespace keywatch
