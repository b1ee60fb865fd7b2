// SPDX-License-Identifier: BSL-1.0
#include "watch/index/prefix_tree.hpp"

#include "support/printing.hpp"
#include "support/watch/interests.hpp"

#include <boost/test/unit_test.hpp>

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

/// A tree of up to this many interests, and a model of it: the prefix of each interest.
struct Tree {
    explicit Tree(std::size_t count) : everybody(many_interests(count)), model(count) {}

    void add(std::size_t at, std::string prefix)
    {
        tree.add(prefix, {everybody, at});
        model[at] = std::move(prefix);
    }
    void remove(std::size_t at)
    {
        const Reference removed = tree.remove(*model[at], everybody->interests()[at]);
        BOOST_TEST(removed.at == at);
        model[at].reset();
    }
    void check(std::string_view key) const
    {
        const Met met = met_by(tree, key, model.size());
        for (std::size_t at = 0; at < model.size(); ++at) {
            BOOST_TEST_REQUIRE(met.has(at) == (model[at] && key.starts_with(*model[at])));
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
    PrefixTree tree;
    std::vector<std::optional<std::string>> model;
};

}  // namespace

// `PrefixTree`, compared with a model.
BOOST_AUTO_TEST_SUITE(test_prefix_tree)

BOOST_AUTO_TEST_CASE(a_key_is_of_all_its_prefixes)
{
    Tree tree(6);
    tree.check("");
    tree.add(0, "user/");
    tree.add(1, "");
    tree.add(2, "user/42");
    tree.add(3, "use");
    tree.add(4, "unit");
    tree.add(5, "user/");
    for (const char* key : {"", "u", "us", "use", "user", "user/", "user/4", "user/42", "user/42/x",
                            "user/43", "unit", "unix", "v"}) {
        tree.check(key);
    }
    tree.check_all();
}

BOOST_AUTO_TEST_CASE(a_branch_is_removed_with_one_of_its_children)
{
    Tree tree(3);
    tree.add(0, "abc");
    tree.add(1, "abd");  // "ab" is a branch now
    tree.remove(0);
    tree.check("abd");
    tree.add(0, "ab");
    tree.add(2, "a");
    tree.remove(0);
    tree.remove(2);
    tree.check("abd");
    tree.check("ab");
    tree.remove(1);
    tree.check("abd");
    tree.check_all();
    BOOST_TEST(tree.tree.empty());
}

BOOST_AUTO_TEST_CASE(one_that_was_moved_is_whole)
{
    Tree tree(2);
    tree.add(0, "a");
    tree.add(1, "ab");
    PrefixTree moved = std::move(tree.tree);
    BOOST_TEST(met_by(moved, "abc", 2).size() == 2U);
    PrefixTree other;
    other = std::move(moved);
    BOOST_TEST(all_of(other, 2).size() == 2U);
}

BOOST_AUTO_TEST_CASE(random_changes_keep_it_equal_to_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (const std::size_t count : {4U, 40U, 200U}) {
        Tree tree(count);
        for (int step = 0; step < 4000; ++step) {
            const std::size_t at = random() % count;
            if (tree.model[at]) {
                tree.remove(at);
            } else {
                tree.add(at, few_bytes(random, 5));
            }
            tree.check(few_bytes(random, 7));
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

// Lookups, removals and destruction must not be recursive in a tree as deep as this.
BOOST_AUTO_TEST_CASE(a_hundred_thousand_nested_prefixes_work)
{
    constexpr std::size_t count = 100'000;
    const std::string longest(count, 'a');
    const std::string_view key = longest;
    const SharedSubscription everybody = many_interests(count);
    PrefixTree tree;
    for (std::size_t length = count; length > 0; --length) {
        tree.add(key.substr(0, length), {everybody, length - 1});
    }
    BOOST_TEST(met_by(tree, key, count).size() == count);
    BOOST_TEST(met_by(tree, key.substr(0, 7), count).size() == 7U);
    BOOST_TEST(met_by(tree, "b", count).size() == 0U);
    BOOST_TEST(all_of(tree, count).size() == count);
    for (std::size_t length = 1; length <= count / 2; ++length) {
        tree.remove(key.substr(0, length), everybody->interests()[length - 1]);
    }
    BOOST_TEST(met_by(tree, key, count).size() == count / 2);
    BOOST_TEST(met_by(tree, key.substr(0, count / 2), count).size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
