// SPDX-License-Identifier: BSL-1.0
#include "structures/btree/counter.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <random>
#include <string>

using namespace keywatch::structures;
using namespace std::string_literals;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// Returns numbers whose sums and differences are close to the limits.
std::int64_t near_an_end(std::mt19937_64& random)
{
    const auto step = static_cast<std::int64_t>(random() % 5);
    switch (random() % 4) {
    case 0:
        return least + step;
    case 1:
        return most - step;
    case 2:
        return step - 2;
    default:
        return static_cast<std::int64_t>(random());
    }
}

__extension__ using Wide = __int128;

std::optional<std::int64_t> if_it_fits(Wide number)
{
    return number >= least && number <= most ? std::optional(static_cast<std::int64_t>(number))
                                             : std::nullopt;
}

}  // namespace

// Numbers as `increment` reads and writes them.
BOOST_AUTO_TEST_SUITE(test_counter)

BOOST_AUTO_TEST_CASE(what_is_written_is_read)
{
    for (const std::int64_t number : {least, least + 1, std::int64_t{-10}, std::int64_t{-1},
                                      std::int64_t{0}, std::int64_t{7}, std::int64_t{100}, most}) {
        BOOST_TEST(parse_number(std::to_string(number)) == number);
    }
}

BOOST_AUTO_TEST_CASE(nothing_else_is_a_number)
{
    for (const std::string& text : {""s,
                                    " "s,
                                    "-"s,
                                    "+"s,
                                    "+1"s,
                                    " 1"s,
                                    "1 "s,
                                    "1\n"s,
                                    "01"s,
                                    "-01"s,
                                    "00"s,
                                    "-0"s,
                                    "--1"s,
                                    "1.0"s,
                                    "1e3"s,
                                    "0x1"s,
                                    "a"s,
                                    "1a"s,
                                    "1\0"s,
                                    "\0"s,
                                    "1,000"s,
                                    "\xd9\xa1"s,
                                    "9223372036854775808"s,
                                    "-9223372036854775809"s,
                                    std::string(100'000, '1')}) {
        BOOST_TEST(!parse_number(text), "taken for a number: " << text.substr(0, 30));
    }
}

BOOST_AUTO_TEST_CASE(sums_and_differences_are_right_or_do_not_fit)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t a = near_an_end(random);
        const std::int64_t b = near_an_end(random);
        const bool right = sum(a, b) == if_it_fits(static_cast<Wide>(a) + b) &&
                           difference(a, b) == if_it_fits(static_cast<Wide>(a) - b);
        BOOST_TEST(right, "seed " << seed << ", " << a << " and " << b);
    }
}

BOOST_AUTO_TEST_SUITE_END()
