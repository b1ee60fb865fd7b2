// SPDX-License-Identifier: BSL-1.0
#include "bytes/glob.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

using namespace keywatch;
using keywatch::bytes::Glob;
using keywatch::test::code;
using keywatch::test::failure_of;
using namespace std::string_literals;

namespace {

bool matches(const std::string& pattern, const std::string& text)
{
    return Glob(pattern).matches(text);
}

/// Follows the definition, in exponential time. For patterns of `a`, `b`, `*`, `?`, `[ab]` and
/// `[!a]`.
bool matches_by_definition(const std::string& pattern, const std::string& text)
{
    if (pattern.empty()) {
        return text.empty();
    }
    if (pattern[0] == '*') {
        return matches_by_definition(pattern.substr(1), text) ||
               (!text.empty() && matches_by_definition(pattern, text.substr(1)));
    }
    if (text.empty()) {
        return false;
    }
    const std::size_t length = pattern[0] == '[' ? 4 : 1;
    const bool fits =
        pattern[0] == '?' || (pattern[0] == '[' && pattern[1] == 'a' && text[0] != 'c') ||
        (pattern[0] == '[' && pattern[1] == '!' && text[0] != 'a') || pattern[0] == text[0];
    return fits && matches_by_definition(pattern.substr(length), text.substr(1));
}

std::string at_random(std::mt19937& random, const std::vector<std::string>& parts, unsigned most)
{
    std::string text;
    for (auto left = random() % (most + 1); left > 0; --left) {
        text += parts[random() % parts.size()];
    }
    return text;
}

}  // namespace

// `Glob`: what each part of a pattern matches.
BOOST_AUTO_TEST_SUITE(test_glob)

BOOST_AUTO_TEST_CASE(a_pattern_is_for_the_whole_text)
{
    BOOST_TEST(matches("", ""));
    BOOST_TEST(!matches("", "a"));
    BOOST_TEST(matches("abc", "abc"));
    BOOST_TEST(!matches("abc", "abcd"));
    BOOST_TEST(!matches("abc", "ab"));
    BOOST_TEST(!matches("b", "abc"));
    BOOST_TEST(!matches("abc", "ABC"));
}

BOOST_AUTO_TEST_CASE(a_star_is_any_bytes_and_a_question_mark_is_one)
{
    BOOST_TEST(matches("*", ""));
    BOOST_TEST(matches("*", ".a/b\n\0\xff"s));
    BOOST_TEST(matches("user*", "user"));
    BOOST_TEST(matches("*.log", "a.b.log"));
    BOOST_TEST(!matches("*.log", "a.log.b"));
    BOOST_TEST(matches("a*b*c", "a--b-b-c"));
    BOOST_TEST(!matches("a*b*c", "a--c--b"));
    BOOST_TEST(matches("**", "a"));
    BOOST_TEST(matches("*?*?*", "ab"));
    BOOST_TEST(!matches("*?*?*", "a"));
    BOOST_TEST(matches("a?c", "a\0c"s));
    BOOST_TEST(!matches("a?c", "ac"));
}

BOOST_AUTO_TEST_CASE(brackets_are_one_byte_of_a_set)
{
    BOOST_TEST(matches("[abx-z]", "b"));
    BOOST_TEST(matches("[abx-z]", "y"));
    BOOST_TEST(matches("[abx-z]", "x"));
    BOOST_TEST(matches("[abx-z]", "z"));
    BOOST_TEST(!matches("[abx-z]", "c"));
    BOOST_TEST(!matches("[abx-z]", "w"));
    BOOST_TEST(!matches("[abx-z]", "{"));
    BOOST_TEST(!matches("[abx-z]", "ab"));
    BOOST_TEST(!matches("[!a-c]", "b"));
    BOOST_TEST(matches("[!a-c]", "d"));
    BOOST_TEST(!matches("[!a-c]", ""));
    BOOST_TEST(matches("[a!]", "!"));
    BOOST_TEST(matches("[a^]", "^"));
    BOOST_TEST(matches("[*?[]", "["));
    BOOST_TEST(!matches("[*]", "a"));
    BOOST_TEST(matches("[-a]", "-"));
    BOOST_TEST(matches("[a-]", "-"));
    BOOST_TEST(matches("[!-]", "a"));
    BOOST_TEST(!matches("[!-]", "-"));
    BOOST_TEST(matches("]", "]"));
    BOOST_TEST(matches("a-b]", "a-b]"));
}

BOOST_AUTO_TEST_CASE(a_backslash_removes_the_special_meaning)
{
    BOOST_TEST(matches("\\*", "*"));
    BOOST_TEST(!matches("\\*", "a"));
    BOOST_TEST(matches("\\?\\[\\\\\\a", "?[\\a"));
    BOOST_TEST(matches("[\\]]", "]"));
    BOOST_TEST(matches("[\\!a]", "!"));
    BOOST_TEST(matches("[a\\-z]", "-"));
    BOOST_TEST(!matches("[a\\-z]", "b"));
    BOOST_TEST(matches("[\\a-\\c]", "b"));
}

BOOST_AUTO_TEST_CASE(patterns_and_texts_are_any_bytes)
{
    BOOST_TEST(matches("a\0b"s, "a\0b"s));
    BOOST_TEST(!matches("a\0b"s, "a\0c"s));
    BOOST_TEST(!matches("a", "a\0"s));
    BOOST_TEST(matches("[\x80-\xff]", "\xe4"));
    BOOST_TEST(!matches("[\x80-\xff]", "a"));
    BOOST_TEST(matches("[\0-\xff]"s, "\x7f"));
    BOOST_TEST(!matches("[!\0-\xff]"s, "\x7f"));
    BOOST_TEST(matches("[a-\xff]", "\xe4"));
    BOOST_TEST(matches("??", "\xc3\xa4"));
    BOOST_TEST(!matches("\xc4", "\xe4"));
}

BOOST_AUTO_TEST_CASE(a_malformed_pattern_is_refused)
{
    for (const char* pattern : {"[", "a[", "[a", "[a-", "[a-z", "[]", "[!]", "[!", "[]a]", "[z-a]",
                                "[az-b]", "\\", "a\\", "[\\", "[a\\", "[a-\\", "*[", "[a]["}) {
        const auto error = failure_of([&] { const Glob glob(pattern); });
        BOOST_TEST(error == code(Error::invalid_pattern), "not refused: " << pattern);
    }
}

// Trying every star again for each of the others would take for ever.
BOOST_AUTO_TEST_CASE(many_stars_are_matched_quickly)
{
    std::string pattern;
    for (int i = 0; i < 500; ++i) {
        pattern += "*a";
    }
    const std::string text(20'000, 'a');
    BOOST_TEST(matches(pattern, text));
    BOOST_TEST(matches(pattern + '*', text));
    BOOST_TEST(!matches(pattern + 'b', text));
    BOOST_TEST(!matches(pattern + "*b*", text));
}

BOOST_AUTO_TEST_CASE(the_common_beginning_of_all_matches_is_known)
{
    const auto prefix = [](std::string_view pattern) { return Glob(pattern).literal_prefix(); };
    BOOST_TEST(prefix("") == "");
    BOOST_TEST(prefix("user") == "user");
    BOOST_TEST(prefix("user*name") == "user");
    BOOST_TEST(prefix("us?r") == "us");
    BOOST_TEST(prefix("*user") == "");
    BOOST_TEST(prefix("u[s]e[rt]") == "use");
    BOOST_TEST(prefix("a\\*b*") == "a*b");
    BOOST_TEST(prefix(std::string_view("\0\xff*", 3)) == std::string_view("\0\xff", 2));
}

BOOST_AUTO_TEST_CASE(random_patterns_match_as_defined)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    int matched = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string pattern = at_random(random, {"a", "b", "*", "?", "[ab]", "[!a]"}, 7);
        const std::string text = at_random(random, {"a", "b", "c"}, 7);
        const bool expected = matches_by_definition(pattern, text);
        matched += expected ? 1 : 0;
        BOOST_TEST(matches(pattern, text) == expected,
                   "seed " << seed << ": " << pattern << " and " << text);
    }
    BOOST_TEST(matched > 500);
}

BOOST_AUTO_TEST_SUITE_END()
