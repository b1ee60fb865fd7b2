// SPDX-License-Identifier: BSL-1.0
#include "structures/btree/bits.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace keywatch::structures;
using namespace std::string_literals;

// Bits of a value, by their number.
BOOST_AUTO_TEST_SUITE(test_bits)

BOOST_AUTO_TEST_CASE(the_first_bit_is_the_most_significant_one_of_the_first_byte)
{
    BOOST_TEST(with_bit("", 0, true) == "\x80");
    BOOST_TEST(with_bit("", 7, true) == "\x01");
    BOOST_TEST(with_bit("", 8, true) == "\0\x80"s);
    BOOST_TEST(with_bit("A", 6, true) == "C");
    BOOST_TEST(with_bit("\xff", 0, false) == "\x7f");
    BOOST_TEST(bit_at("\x80", 0));
    BOOST_TEST(!bit_at("\x80", 1));
    BOOST_TEST(bit_at("\x80\x01", 15));
}

BOOST_AUTO_TEST_CASE(beyond_the_end_there_are_zeros)
{
    const std::uint64_t farthest = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST(!bit_at("", 0));
    BOOST_TEST(!bit_at("\xff", 8));
    BOOST_TEST(!bit_at("\xff", farthest));
    BOOST_TEST(bytes_with_bit(0) == 1U);
    BOOST_TEST(bytes_with_bit(7) == 1U);
    BOOST_TEST(bytes_with_bit(8) == 2U);
    BOOST_TEST(bytes_with_bit(farthest) == (std::uint64_t{1} << 61));
}

BOOST_AUTO_TEST_CASE(random_bits_equal_a_row_of_booleans)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::string bytes;
    std::vector<bool> model(400, false);
    for (int i = 0; i < 2000; ++i) {
        const std::size_t at = random() % model.size();
        model[at] = random() % 2 == 0;
        bytes = with_bit(bytes, at, model[at]);
        const std::size_t other = random() % model.size();
        BOOST_TEST(bit_at(bytes, other) == model[other], "seed " << seed);
    }
    BOOST_TEST(bytes.size() <= model.size() / 8);
}

BOOST_AUTO_TEST_SUITE_END()
