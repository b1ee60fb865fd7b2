// SPDX-License-Identifier: BSL-1.0
#include "structures/sorted_set/score.hpp"

#include "structures/sorted_set/sorted_bounds.hpp"
#include "structures/sorted_set/sorted_elements.hpp"
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace keywatch::structures;
using keywatch::test::code;
using keywatch::test::failure_of;

namespace {

using Limits = std::numeric_limits<double>;

const std::vector<double> ascending{-Limits::infinity(),
                                    Limits::lowest(),
                                    -1.5,
                                    -1,
                                    -Limits::min(),
                                    -Limits::denorm_min(),
                                    0,
                                    Limits::denorm_min(),
                                    Limits::min(),
                                    0.1,
                                    1,
                                    std::nextafter(1.0, 2.0),
                                    1e300,
                                    Limits::max(),
                                    Limits::infinity()};

}  // namespace

// Scores as bytes and as text.
BOOST_AUTO_TEST_SUITE(test_score)

BOOST_AUTO_TEST_CASE(bits_sort_as_scores_do)
{
    for (std::size_t i = 1; i < ascending.size(); ++i) {
        BOOST_TEST(sortable_bits(ascending[i - 1]) < sortable_bits(ascending[i]));
        BOOST_TEST(score_from_bits(sortable_bits(ascending[i])) == ascending[i]);
    }
    BOOST_TEST(sortable_bits(Limits::infinity()) < 0xffff'0000'0000'0000);
}

BOOST_AUTO_TEST_CASE(text_is_short_and_yields_the_same_score)
{
    BOOST_TEST(score_text(3) == "3");
    BOOST_TEST(score_text(0.1) == "0.1");
    BOOST_TEST(score_text(-2.5e30) == "-2.5e+30");
    BOOST_TEST(score_text(Limits::infinity()) == "inf");
    BOOST_TEST(score_text(-Limits::infinity()) == "-inf");
    for (const double each : ascending) {
        BOOST_TEST(parse_score(score_text(each)) == each);
    }
    std::mt19937_64 random(7);
    for (int i = 0; i < 10'000; ++i) {
        const auto each = std::bit_cast<double>(random());
        if (!std::isnan(each)) {
            BOOST_TEST(parse_score(score_text(each)) == each);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_score_is_damage)
{
    for (const char* text : {"", "nan", "1x", " 1", "one", "1 "}) {
        BOOST_TEST(failure_of([&] { (void)parse_score(text); }) == code(keywatch::Error::damaged));
    }
    BOOST_TEST(failure_of([] { (void)sorted_set::score_at("seven77"); }) ==
               code(keywatch::Error::damaged));
    for (const char* content : {"", "\1a", "\1a\1", "\1a\1bc", "\0\0"}) {
        BOOST_TEST(failure_of([&] { (void)sorted_set::Bounds(content); }) ==
                   code(keywatch::Error::damaged));
    }
}

BOOST_AUTO_TEST_CASE(nan_is_refused_and_minus_zero_is_zero)
{
    BOOST_TEST(failure_of([] { (void)checked_score(Limits::quiet_NaN()); }) ==
               code(keywatch::Error::invalid_score));
    BOOST_TEST(failure_of([] { (void)checked_score(-Limits::quiet_NaN()); }) ==
               code(keywatch::Error::invalid_score));
    BOOST_TEST(!std::signbit(checked_score(-0.0)));
    BOOST_TEST(checked_score(-1) == -1);
}

// Places around the length at which a bound is cut off, many with a common beginning.
BOOST_AUTO_TEST_CASE(bounds_enclose_every_place)
{
    std::mt19937 random(3);
    for (int round = 0; round < 2'000; ++round) {
        sorted_set::Bounds bounds;
        std::vector<std::string> all;
        for (int i = 0; i < 6; ++i) {
            std::string member(random() % 30, '\xff');
            if (!member.empty() && random() % 2 == 0) {
                member.back() = static_cast<char>(random() % 2);
            }
            const double score = random() % 4 == 0 ? Limits::infinity() : 1;
            all.push_back(sorted_set::place_of(score, member));
            bounds.include(all.back());
            bounds = sorted_set::Bounds(bounds.content());
        }
        for (const std::string& each : all) {
            BOOST_TEST((bounds.low() <= each));
            BOOST_TEST((each < bounds.end()));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
