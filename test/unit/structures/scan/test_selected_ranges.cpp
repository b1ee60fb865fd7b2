// SPDX-License-Identifier: BSL-1.0
#include "structures/scan/selected_ranges.hpp"

#include "bytes/glob.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kw = keywatch;
using keywatch::structures::KeyInterval;
using keywatch::structures::selected_ranges;
using keywatch::structures::SelectedRanges;

namespace {

using Intervals = std::vector<KeyInterval>;

Intervals of(const kw::Selectors& selectors)
{
    return selected_ranges(selectors, "b").intervals;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_selected_ranges)

BOOST_AUTO_TEST_CASE(each_kind_of_selector_is_an_interval)
{
    const std::string next_to_k("k\0", 2);
    BOOST_TEST(of(kw::in("b", kw::key("k"))) == (Intervals{{"k", next_to_k}}));
    BOOST_TEST(of(kw::in("b", kw::prefix("ab"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(kw::in("b", kw::prefix("a\xff"))) == (Intervals{{"a\xff", "b"}}));
    BOOST_TEST(of(kw::in("b", kw::prefix("\xff"))) == (Intervals{{"\xff", std::nullopt}}));
    BOOST_TEST(of(kw::in("b", kw::prefix(""))) == (Intervals{{"", std::nullopt}}));
    BOOST_TEST(of(kw::in("b", kw::range("c", "f"))) == (Intervals{{"c", "f"}}));
    BOOST_TEST(of(kw::in("b", kw::range("c", ""))) == (Intervals{{"c", std::nullopt}}));
    BOOST_TEST(of(kw::in("b", kw::all())) == (Intervals{{"", std::nullopt}}));
    BOOST_TEST(of(kw::whole_database()) == (Intervals{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(a_pattern_is_what_begins_as_it_does)
{
    BOOST_TEST(of(kw::in("b", kw::glob("ab*c"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(kw::in("b", kw::glob("a\\*?"))) == (Intervals{{"a*", "a+"}}));
    BOOST_TEST(of(kw::in("b", kw::glob("a[b][cd]"))) == (Intervals{{"ab", "ac"}}));
    BOOST_TEST(of(kw::in("b", kw::glob("*"))) == (Intervals{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(intervals_that_meet_become_one)
{
    const auto both = [](kw::Selector a, kw::Selector b) {
        return of({kw::in("b", std::move(a)), kw::in("b", std::move(b))});
    };
    BOOST_TEST(both(kw::range("c", "f"), kw::range("a", "c")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(kw::range("a", "f"), kw::range("b", "c")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(kw::range("a", "c"), kw::range("b", "f")) == (Intervals{{"a", "f"}}));
    BOOST_TEST(both(kw::range("a", ""), kw::range("b", "c")) == (Intervals{{"a", std::nullopt}}));
    BOOST_TEST(both(kw::range("a", "c"), kw::range("b", "")) == (Intervals{{"a", std::nullopt}}));
    BOOST_TEST(both(kw::range("d", "f"), kw::range("a", "c")) ==
               (Intervals{{"a", "c"}, {"d", "f"}}));
    BOOST_TEST(both(kw::key("a"), kw::key("a")) == (Intervals{{"a", std::string("a\0", 2)}}));
}

BOOST_AUTO_TEST_CASE(only_what_names_the_bucket_counts)
{
    const kw::Selectors selectors{kw::in("b", kw::key("k")), kw::in("a", kw::all()),
                                  kw::in("b", kw::prefix("p"))};
    BOOST_TEST(of(selectors).size() == 2U);
    BOOST_TEST(!selected_ranges(selectors, "b").whole);
    BOOST_TEST(selected_ranges(selectors, "a").whole);
    BOOST_TEST(selected_ranges(selectors, "c").intervals.empty());
    BOOST_TEST(keywatch::structures::selected_buckets(selectors) ==
               (std::vector<std::string>{"a", "b"}));
    BOOST_TEST(
        !keywatch::structures::selected_buckets({kw::in("b", kw::key("k")), kw::whole_database()}));
}

BOOST_AUTO_TEST_SUITE_END()
