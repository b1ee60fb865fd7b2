// SPDX-License-Identifier: BSL-1.0
#include "watch/index/range_tree.hpp"

#include "support/printing.hpp"
#include "support/watch/interests.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

struct Ends {
    std::string first;
    std::string last;

    bool has(std::string_view key) const { return key >= first && (last.empty() || key < last); }
};

/// A tree of up to this many interests, and a model of it: the range of each interest.
struct Tree {
    explicit Tree(std::size_t count) : everybody(many_interests(count)), model(count) {}

    void add(std::size_t at, Ends range)
    {
        tree.add(range.first, range.last, {everybody, at});
        model[at] = std::move(range);
    }
    void remove(std::size_t at)
    {
        const Ends range = *model[at];
        const Reference removed = tree.remove(range.first, range.last, everybody->interests()[at]);
        BOOST_TEST(removed.at == at);
        model[at].reset();
    }
    void check(std::string_view key) const
    {
        const Met met = met_by(tree, key, model.size());
        for (std::size_t at = 0; at < model.size(); ++at) {
            BOOST_TEST_REQUIRE(met.has(at) == (model[at] && model[at]->has(key)));
        }
    }
    void check_all() const
    {
        const Met met = all_of(tree, model.size());
        for (std::size_t at = 0; at < model.size(); ++at) {
            BOOST_TEST_REQUIRE(met.has(at) == model[at].has_value());
        }
        BOOST_TEST_REQUIRE(tree.empty() == (met.size() == 0));
    }

    SharedSubscription everybody;
    RangeTree tree;
    std::vector<std::optional<Ends>> model;
};

std::string number(std::size_t value)
{
    char text[16];
    std::snprintf(text, sizeof text, "%07zu", value);
    return text;
}

/// Returns a range that is not empty.
template <class Random>
Ends random_range(Random& random)
{
    while (true) {
        Ends range{few_bytes(random, 3), few_bytes(random, 3)};
        if (range.last.empty() || range.first < range.last) {
            return range;
        }
    }
}

}  // namespace

// `RangeTree`, compared with a model.
BOOST_AUTO_TEST_SUITE(test_range_tree)

BOOST_AUTO_TEST_CASE(a_range_has_its_first_key_and_not_its_last)
{
    Tree tree(6);
    tree.check("b");
    tree.add(0, {"b", "d"});
    tree.add(1, {"b", "d"});
    tree.add(2, {"c", ""});
    tree.add(3, {"", "c"});
    tree.add(4, {"", ""});
    tree.add(5, {"b", "bb"});
    for (const char* key : {"", "a", "b", "ba", "bb", "c", "ca", "d", "z"}) {
        tree.check(key);
    }
    tree.check_all();
}

BOOST_AUTO_TEST_CASE(bytes_are_compared_without_a_sign)
{
    Tree tree(2);
    tree.add(0, {std::string(1, '\0'), "\x80"});
    tree.add(1, {"\x7f", "\xff"});
    for (const std::string_view key : {std::string_view("\0", 1), std::string_view("\x7f"),
                                       std::string_view("\x80"), std::string_view("\xff")}) {
        tree.check(key);
    }
}

BOOST_AUTO_TEST_CASE(random_changes_keep_it_equal_to_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (const std::size_t count : {4U, 40U, 300U}) {
        Tree tree(count);
        for (int step = 0; step < 4000; ++step) {
            const std::size_t at = random() % count;
            if (tree.model[at]) {
                tree.remove(at);
            } else {
                tree.add(at, random_range(random));
            }
            tree.check(few_bytes(random, 4));
            if (step % 100 == 0) {
                tree.check_all();
            }
        }
        for (std::size_t at = 0; at < count; ++at) {
            if (tree.model[at]) {
                tree.remove(at);
            }
        }
        tree.check_all();
    }
}

// In ascending order, in which a tree without balancing becomes a list.
BOOST_AUTO_TEST_CASE(a_hundred_thousand_nested_ranges_work)
{
    constexpr std::size_t count = 100'000;
    const SharedSubscription everybody = many_interests(count);
    RangeTree tree;
    const auto last = [](std::size_t at) { return at % 1000 == 0 ? "" : number(2 * count - at); };
    for (std::size_t at = 0; at < count; ++at) {
        tree.add(number(at), last(at), {everybody, at});
    }
    BOOST_TEST(met_by(tree, number(10), count).size() == 11U);
    BOOST_TEST(met_by(tree, number(count), count).size() == count);
    BOOST_TEST(met_by(tree, number(2 * count - 10), count).size() == 100U + 9U);
    BOOST_TEST(met_by(tree, "", count).size() == 0U);
    for (std::size_t at = 0; at < count; ++at) {
        if (at % 10 != 1) {
            tree.remove(number(at), last(at), everybody->interests()[at]);
        }
    }
    BOOST_TEST(met_by(tree, number(count), count).size() == count / 10);
    BOOST_TEST(all_of(tree, count).size() == count / 10);
}

BOOST_AUTO_TEST_SUITE_END()
