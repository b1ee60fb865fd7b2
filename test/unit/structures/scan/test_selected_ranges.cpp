// SPDX-License-Identifier: BSL-1.0
#include "structures/scan/selected_ranges.hpp"

#include "bytes/glob.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch;
using keywatch::structures::KeyInterval;
using keywatch::structures::selected_ranges;
using keywatch::structures::SelectedRanges;

namespace {

using Intervals = std::vector<KeyInterval>;

Intervals of(const Selectors& selectors)
{
    return selected_ranges(selectors, "b").intervals;
}

}  // namespace

// `SelectedRanges`: the ranges of keys that selectors select.
BOOST_AUTO_TEST_SUITE(test_selected_ranges)

BOOST_AUTO_TEST_CASE(each_kind_of_selector_is_an_interval)
{
    const std::string next_to_k("k\0", 2);
    BOOST_TEST(of(in("b", key("k"))) == (Intervals{{"k", next_to_k}}));
    BOOST_TEST(of(in("b", prefix("ab"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(in("b", prefix("a\xff"))) == (Intervals{{"a\xff", "b"}}));
    BOOST_TEST(of(in("b", prefix("\xff"))) == (Intervals{{"\xff", std::nullopt}}));
    BOOST_TEST(of(in("b", prefix(""))) == (Intervals{{"", std::nullopt}}));
    BOOST_TEST(of(in("b", range("c", "f"))) == (Intervals{{"c", "f"}}));
    BOOST_TEST(of(in("b", range("c", ""))) == (Intervals{{"c", std::nullopt}}));
    BOOST_TEST(of(in("b", all())) == (Intervals{{"", std::nullopt}}));
    BOOST_TEST(of(whole_database()) == (Intervals{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(a_pattern_is_what_begins_as_it_does)
{
    BOOST_TEST(of(in("b", glob("ab*c"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(in("b", glob("a\\*?"))) == (Intervals{{"a*", "a+"}}));
    BOOST_TEST(of(in("b", glob("a[b][cd]"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(in("b", glob("*"))) == (Intervals{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(intervals_that_meet_become_one)
{
    const auto both = [](Selector a, Selector b) {
        return of({in("b", std::move(a)), in("b", std::move(b))});
    };
    BOOST_TEST(both(range("c", "f"), range("a", "c")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(range("a", "f"), range("b", "c")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(range("a", "c"), range("b", "f")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(range("a", ""), range("b", "c")) == (Intervals{{"a", std::nullopt}}));
    BOOST_TEST(both(range("a", "c"), range("b", "")) == (Intervals{{"a", std::nullopt}}));
    BOOST_TEST(both(range("d", "f"), range("a", "c")) == (Intervals{{"a", "c"}, {"d", "f"}}));
    BOOST_TEST(both(key("a"), key("a")) == (Intervals{{"a", std::string("a\0", 2)}}));
}

BOOST_AUTO_TEST_CASE(only_what_names_the_bucket_counts)
{
    const Selectors selectors{in("b", key("k")), in("a", all()), in("b", prefix("p"))};
    BOOST_TEST(of(selectors).size() == 2U);
    BOOST_TEST(!selected_ranges(selectors, "b").whole);
    BOOST_TEST(selected_ranges(selectors, "a").whole);
    BOOST_TEST(selected_ranges(selectors, "c").intervals.empty());
    BOOST_TEST(keywatch::structures::selected_buckets(selectors) ==
               (std::vector<std::string>{"a", "b"}));
    BOOST_TEST(!keywatch::structures::selected_buckets({in("b", key("k")), whole_database()}));
}

BOOST_AUTO_TEST_SUITE_END()
