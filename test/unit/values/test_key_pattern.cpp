// SPDX-License-Identifier: BSL-1.0
#include <keywatch/key_pattern.hpp>

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <locale>
#include <random>
#include <string>
#include <thread>
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

/// Sets a global locale in which every byte is a letter.
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

// `KeyPattern`: what it finds, and what it refuses.
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
    BOOST_TEST(matches("^a{1000}$", std::string(1000, 'a')));
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
    BOOST_TEST(matches("(?m)^b$", "a\nb"));
}

BOOST_AUTO_TEST_CASE(classes_are_those_of_ascii_in_every_locale)
{
    const OddLocale odd;
    BOOST_TEST(matches("^\\w+\\d$", "abc1"));
    for (const char* letters : {"\\w", "[[:alpha:]]", "[[:alnum:]]"}) {
        BOOST_TEST(!matches(letters, "\xe4"));
        BOOST_TEST(!matches(letters, "-"));
    }
    BOOST_TEST(matches("(?i)\xc4", "\xe4"));  // these are of Latin-1
    BOOST_TEST(!matches("\xc4", "\xe4"));
}

BOOST_AUTO_TEST_CASE(malformed_patterns_are_refused)
{
    for (const std::string& pattern :
         {"("s, ")"s, "["s, "[z-a]"s, "*"s, "a**"s, "a{2,1}"s, "\\"s, "(?<"s, "[[:x:]]"s,
          std::string(1000, '(') + "a"s, std::string(4097, 'a')}) {
        const auto error = failure_of([&] { const KeyPattern refused(pattern); });
        BOOST_TEST(error == code(Error::invalid_pattern), "not refused: " << pattern.substr(0, 30));
    }
    BOOST_TEST(!matches(std::string(4096, 'a'), std::string(4000, 'a')));
}

BOOST_AUTO_TEST_CASE(what_needs_backtracking_is_refused)
{
    for (const char* pattern :
         {"^(..)\\1$", "(?P<n>a)(?P=n)", "a(?!b)", "a(?=b)", "(?<=a)b", "(?<!a)b", "(?>a+)+$",
          "a++", "(?R)", "(a(?1)?b)", "(?<n>a)(?&n)", "(*SKIP)a", "a(*PRUNE)b"}) {
        const auto error = failure_of([&] { const KeyPattern refused(pattern); });
        BOOST_TEST(error == code(Error::invalid_pattern), "not refused: " << pattern);
    }
}

BOOST_AUTO_TEST_CASE(what_repeats_too_often_is_refused)
{
    std::string nested = "a";
    std::string many;
    for (int i = 0; i < 100; ++i) {
        nested = "(" + nested + "){10}";
        many += "[ab]{1,1000}c?";
    }
    for (const std::string& pattern : {"a{1001}"s, "(a{1000}){2}"s, nested, many}) {
        const auto error = failure_of([&] { const KeyPattern refused(pattern); });
        BOOST_TEST(error == code(Error::invalid_pattern), "not refused: " << pattern.substr(0, 30));
    }
    try {
        const KeyPattern refused(nested);
    } catch (const std::exception& error) {
        // The message does not contain the whole pattern.
        BOOST_TEST(std::string(error.what()).size() < 500U);
    }
}

BOOST_AUTO_TEST_CASE(the_time_for_a_key_grows_with_its_length_and_no_faster)
{
    for (const char* pattern : {"(a+)+$", "(a*)*x", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)(.*)x", "a.*x",
                                "(a|b)*a(a|b){20}x", "(?:a?){100}x"}) {
        const KeyPattern costly(pattern);
        BOOST_TEST(!costly.matches(std::string(65536, 'a') + "b"), pattern);
        BOOST_TEST(costly.matches(std::string(200, 'a') + "xa" + std::string(200, 'a')), pattern);
    }
}

BOOST_AUTO_TEST_CASE(a_pattern_too_large_for_the_automaton_is_matched_nevertheless)
{
    // A match depends on whether the byte 400 before the last one is an a.
    const KeyPattern remembers("^[ab]*a[ab]{400}$");
    std::mt19937 random(1);
    for (int i = 0; i < 20; ++i) {
        std::string key;
        for (int length = 0; length < 5000; ++length) {
            key += random() % 2 == 0 ? 'a' : 'b';
        }
        BOOST_TEST(remembers.matches(key) == (key[key.size() - 401] == 'a'));
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_is_too_long_for_its_pattern_is_an_error)
{
    const KeyPattern large("(?:a?){1000}x");  // about 2000 instructions
    const auto error = failure_of([&] { large.matches(std::string(65536, 'a')); });
    BOOST_TEST(error == code(Error::pattern_too_complex));
    BOOST_TEST(large.matches(std::string(5000, 'a') + "x"));  // can still be used for other keys
    const KeyPattern small("a+$");
    BOOST_TEST(small.matches(std::string(1 << 20, 'a')));
}

BOOST_AUTO_TEST_CASE(long_keys_are_no_trouble_for_simple_patterns)
{
    const std::string key(3'000'000, 'a');
    BOOST_TEST(matches("^a+$", key));
    BOOST_TEST(!matches("b", key));
    BOOST_TEST(!matches("^[^/]*/", key));
}

BOOST_AUTO_TEST_CASE(a_pattern_may_be_used_by_several_threads)
{
    const KeyPattern shared("^(a|b)*a(a|b){12}$");
    std::atomic<int> wrong{0};
    const auto use = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (int i = 0; i < 50; ++i) {
            std::string key(100, 'b');
            for (char& each : key) {
                each = random() % 2 == 0 ? 'a' : 'b';
            }
            wrong += shared.matches(key) != (key[key.size() - 13] == 'a') ? 1 : 0;
        }
    };
    {
        std::jthread one(use, 1);
        std::jthread two(use, 2);
    }
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(copies_share_and_outlive_the_original)
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
