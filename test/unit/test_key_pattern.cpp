// SPDX-License-Identifier: BSL-1.0
#include <keywatch/key_pattern.hpp>

#include "support/event_loop.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <locale>
#include <string>
#include <utility>

using namespace keywatch;
using keywatch::test::code;
using keywatch::test::failure_of;
using namespace std::string_literals;

namespace {

bool matches(const std::string& pattern, const std::string& key)
{
    return KeyPattern(pattern).matches(key);
}

/// A locale of the program in which every byte is a letter.
class OddLocale {
public:
    OddLocale() : before_(std::locale::global(odd())) {}
    OddLocale(const OddLocale&) = delete;
    OddLocale& operator=(const OddLocale&) = delete;
    ~OddLocale() { std::locale::global(before_); }

private:
    static std::locale odd()
    {
        static const auto table = [] {
            std::array<std::ctype_base::mask, std::ctype<char>::table_size> all{};
            std::ranges::fill(all, std::ctype_base::alpha);
            return all;
        }();
        return {std::locale::classic(), new std::ctype<char>(table.data())};
    }

    std::locale before_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_key_pattern)

BOOST_AUTO_TEST_CASE(a_pattern_is_found_anywhere)
{
    BOOST_TEST(matches("b", "abc"));
    BOOST_TEST(!matches("d", "abc"));
    BOOST_TEST(matches("^user:[0-9]+$", "user:42"));
    BOOST_TEST(!matches("^user:[0-9]+$", "user:42x"));
    BOOST_TEST(!matches("^user:[0-9]+$", "xuser:42"));
    BOOST_TEST(matches("", "abc"));
    BOOST_TEST(matches("", ""));
    BOOST_TEST(matches("^$", ""));
    BOOST_TEST(matches("(?i)^ABC$", "abc"));
    BOOST_TEST(matches("^(?:ab|c)+$", "abcab"));
    BOOST_TEST(matches("^(..)\\1$", "abab"));
    BOOST_TEST(!matches("^(..)\\1$", "abac"));
    BOOST_TEST(matches("a(?!b)", "abac"));
}

BOOST_AUTO_TEST_CASE(keys_are_any_bytes)
{
    BOOST_TEST(matches("^a.b$", "a\0b"s));
    BOOST_TEST(matches("^a.b$", "a\nb"));
    BOOST_TEST(matches("^a\0b$"s, "a\0b"s));
    BOOST_TEST(matches("b$", "a\0b"s));
    BOOST_TEST(!matches("^a$", "a\0"s));
    BOOST_TEST(matches("^\\x00$", "\0"s));
    BOOST_TEST(matches("^[\\x80-\\xff]$", "\xe4"));
    BOOST_TEST(matches("^[\x80-\xff]$", "\xe4"));
    BOOST_TEST(!matches("[\\x80-\\xff]", "a"));
    BOOST_TEST(matches("^..$", "\xc3\xa4"));
    BOOST_TEST(matches("\xff", "\xff"));
}

BOOST_AUTO_TEST_CASE(anchors_are_the_ends_of_the_key_and_no_line_is)
{
    BOOST_TEST(!matches("^a$", "a\n"));
    BOOST_TEST(!matches("^a$", "\na"));
    BOOST_TEST(!matches("^b", "a\nb"));
    BOOST_TEST(!matches("a$", "a\nb"));
}

BOOST_AUTO_TEST_CASE(classes_are_those_of_ascii_in_every_locale)
{
    const OddLocale odd;
    BOOST_TEST(matches("^\\w+\\d$", "abc1"));
    for (const char* letters : {"\\w", "[[:alpha:]]", "[[:alnum:]]"}) {
        BOOST_TEST(!matches(letters, "\xe4"));
        BOOST_TEST(!matches(letters, "-"));
    }
    BOOST_TEST(!matches("(?i)\xc4", "\xe4"));
}

BOOST_AUTO_TEST_CASE(malformed_and_unlimited_patterns_are_refused)
{
    for (const std::string& pattern : {"("s,
                                       ")"s,
                                       "["s,
                                       "[z-a]"s,
                                       "*"s,
                                       "a**"s,
                                       "a{2,1}"s,
                                       "\\"s,
                                       "(?<"s,
                                       "\\1"s,
                                       "[[:x:]]"s,
                                       "(?R)"s,
                                       "(a(?1)?b)"s,
                                       "(a(?R)?b)"s,
                                       "(?<n>a)(?&n)"s,
                                       "(*SKIP)a"s,
                                       "(?!(*SKIP)a)b"s,
                                       "a(*PRUNE)b"s,
                                       "a(*THEN)b"s,
                                       "(a|b(*COMMIT))"s,
                                       std::string(1000, '(') + "a"s,
                                       std::string(4097, 'a')}) {
        const auto error = failure_of([&] { const KeyPattern refused(pattern); });
        BOOST_TEST(error == code(Error::invalid_pattern), "not refused: " << pattern.substr(0, 30));
    }
    BOOST_TEST(matches(std::string(4096, 'a'), std::string(4096, 'a')));
}

BOOST_AUTO_TEST_CASE(one_that_would_take_for_ever_is_an_error)
{
    for (const char* pattern : {"(a+)+$", "(a*)*$", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)(.*)x"}) {
        const KeyPattern costly(pattern);
        const auto error = failure_of([&] { costly.matches(std::string(5000, 'a') + "b"); });
        BOOST_TEST(error == code(Error::pattern_too_complex), pattern);
        BOOST_TEST(costly.matches("xa"));  // of use for other keys
    }
}

BOOST_AUTO_TEST_CASE(long_keys_are_no_trouble_for_simple_patterns)
{
    const std::string key(3'000'000, 'a');
    BOOST_TEST(matches("^a+$", key));
    BOOST_TEST(!matches("b", key));
    BOOST_TEST(!matches("^[^/]*/", key));
}

BOOST_AUTO_TEST_CASE(copies_share_and_outlive_what_they_were_copied_from)
{
    const KeyPattern copy = [] { return KeyPattern(KeyPattern("^a")); }();
    KeyPattern other = copy;
    KeyPattern moved = std::move(other);
    BOOST_TEST(copy.matches("ab"));
    BOOST_TEST(moved.matches("ab"));
    moved = KeyPattern("^b");
    BOOST_TEST(!moved.matches("ab"));
    BOOST_TEST(copy.matches("ab"));
}

BOOST_AUTO_TEST_SUITE_END()
