// SPDX-License-Identifier: BSL-1.0
#include "structures/scan/wanted_keys.hpp"

#include "bytes/glob.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kw = keywatch;
using keywatch::structures::KeyStretch;
using keywatch::structures::wanted_keys;
using keywatch::structures::WantedKeys;

namespace {

using Stretches = std::vector<KeyStretch>;

Stretches of(const kw::Selectors& selectors)
{
    return wanted_keys(selectors, "b").stretches;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_wanted_keys)

BOOST_AUTO_TEST_CASE(each_kind_of_selector_is_a_stretch)
{
    const std::string next_to_k("k\0", 2);
    BOOST_TEST((of(kw::in("b", kw::key("k"))) == Stretches{{"k", next_to_k}}));
    BOOST_TEST((of(kw::in("b", kw::prefix("ab"))) == Stretches{{"ab", "ac"}}));
    BOOST_TEST((of(kw::in("b", kw::prefix("a\xff"))) == Stretches{{"a\xff", "b"}}));
    BOOST_TEST((of(kw::in("b", kw::prefix("\xff"))) == Stretches{{"\xff", std::nullopt}}));
    BOOST_TEST((of(kw::in("b", kw::prefix(""))) == Stretches{{"", std::nullopt}}));
    BOOST_TEST((of(kw::in("b", kw::range("c", "f"))) == Stretches{{"c", "f"}}));
    BOOST_TEST((of(kw::in("b", kw::range("c", ""))) == Stretches{{"c", std::nullopt}}));
    BOOST_TEST((of(kw::in("b", kw::all())) == Stretches{{"", std::nullopt}}));
    BOOST_TEST((of(kw::whole_database()) == Stretches{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(a_pattern_is_what_begins_as_it_does)
{
    BOOST_TEST((of(kw::in("b", kw::glob("ab*c"))) == Stretches{{"ab", "ac"}}));
    BOOST_TEST((of(kw::in("b", kw::glob("a\\*?"))) == Stretches{{"a*", "a+"}}));
    BOOST_TEST((of(kw::in("b", kw::glob("a[b][cd]"))) == Stretches{{"ab", "ac"}}));
    BOOST_TEST((of(kw::in("b", kw::glob("*"))) == Stretches{{"", std::nullopt}}));
}

BOOST_AUTO_TEST_CASE(stretches_that_meet_become_one)
{
    const auto both = [](kw::Selector a, kw::Selector b) {
        return of({kw::in("b", std::move(a)), kw::in("b", std::move(b))});
    };
    BOOST_TEST((both(kw::range("c", "f"), kw::range("a", "c")) == Stretches{{"a", "f"}}));
    BOOST_TEST((both(kw::range("a", "f"), kw::range("b", "c")) == Stretches{{"a", "f"}}));
    BOOST_TEST((both(kw::range("a", "c"), kw::range("b", "f")) == Stretches{{"a", "f"}}));
    BOOST_TEST((both(kw::range("a", ""), kw::range("b", "c")) == Stretches{{"a", std::nullopt}}));
    BOOST_TEST((both(kw::range("a", "c"), kw::range("b", "")) == Stretches{{"a", std::nullopt}}));
    BOOST_TEST(
        (both(kw::range("d", "f"), kw::range("a", "c")) == Stretches{{"a", "c"}, {"d", "f"}}));
    BOOST_TEST((both(kw::key("a"), kw::key("a")) == Stretches{{"a", std::string("a\0", 2)}}));
}

BOOST_AUTO_TEST_CASE(only_what_names_the_bucket_counts)
{
    const kw::Selectors selectors{kw::in("b", kw::key("k")), kw::in("a", kw::all()),
                                  kw::in("b", kw::prefix("p"))};
    BOOST_TEST(of(selectors).size() == 2U);
    BOOST_TEST(!wanted_keys(selectors, "b").whole);
    BOOST_TEST(wanted_keys(selectors, "a").whole);
    BOOST_TEST(wanted_keys(selectors, "c").stretches.empty());
    BOOST_TEST(
        (keywatch::structures::wanted_buckets(selectors) == std::vector<std::string>{"a", "b"}));
    BOOST_TEST(
        !keywatch::structures::wanted_buckets({kw::in("b", kw::key("k")), kw::whole_database()}));
}

BOOST_AUTO_TEST_SUITE_END()
