// SPDX-License-Identifier: BSL-1.0
#include "support/event_loop.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Task;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

/// A bucket in a database in memory. Cases run in one transaction, where everything can be seen.
struct OneBucket : test::EventLoop {
    void in_transaction(std::function<void(BTree)> check)
    {
        run([check]() -> Task {
            Database db = co_await Database::open(Options("memory:"));
            co_await db.update([&](Transaction& tx) {
                tx.create_bucket(Structure::btree, "b");
                check(tx.btree("b"));
            });
            co_await db.close();
        });
    }
};

std::string keys(BTreeRange range)
{
    std::string keys;
    for (const auto [key, value] : range) {
        keys += std::string(key) + ' ';
    }
    return keys;
}

void fill(BTree tree, const std::vector<std::string>& keys)
{
    for (const std::string& key : keys) {
        tree.put(key, "v" + key);
    }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_btree, OneBucket)

BOOST_AUTO_TEST_CASE(keys_and_values_are_any_bytes)
{
    in_transaction([](BTree tree) {
        const std::string all_bytes = [] {
            std::string bytes;
            for (int byte = 0; byte < 256; ++byte) {
                bytes += static_cast<char>(byte);
            }
            return bytes;
        }();
        for (const std::string& text : {std::string(1, '\0'), std::string("\0a", 2),
                                        std::string("\xff"), all_bytes, std::string(70000, 'l')}) {
            tree.put(text, text);
            BOOST_TEST((tree.get(text) == text));
        }
        tree.put("empty", "");
        BOOST_TEST((tree.get("empty") == ""));
        BOOST_TEST(!tree.get("not there"));
        BOOST_TEST((failure_of([&] { tree.put("", "v"); }) == code(Error::empty_key)));
        BOOST_TEST(!tree.contains(""));
    });
}

BOOST_AUTO_TEST_CASE(ranges_leave_out_their_end)
{
    in_transaction([](BTree tree) {
        fill(tree, {"a", "b", "ba", "c", "d"});
        BOOST_TEST(keys(tree.scan()) == "a b ba c d ");
        BOOST_TEST(keys(tree.range("b", "c")) == "b ba ");
        BOOST_TEST(keys(tree.range("aa", "cc")) == "b ba c ");
        BOOST_TEST(keys(tree.range("b", "b")) == "");
        BOOST_TEST(keys(tree.range("c", "b")) == "");
        BOOST_TEST(keys(tree.range("", "b")) == "a ");
    });
}

BOOST_AUTO_TEST_CASE(scans_go_back_and_stop_at_their_limit)
{
    in_transaction([](BTree tree) {
        fill(tree, {"a", "b", "ba", "c", "d"});
        BOOST_TEST(keys(tree.scan({.reverse = true})) == "d c ba b a ");
        BOOST_TEST(keys(tree.range("b", "d", {.reverse = true})) == "c ba b ");
        BOOST_TEST(keys(tree.range("b", "d", {.limit = 2, .reverse = true})) == "c ba ");
        BOOST_TEST(keys(tree.scan({.limit = 2})) == "a b ");
        BOOST_TEST(keys(tree.scan({.limit = 0})) == "");
        BOOST_TEST(keys(tree.prefix("b", {.reverse = true})) == "ba b ");
    });
}

BOOST_AUTO_TEST_CASE(a_prefix_of_the_highest_bytes_has_no_end_of_its_own)
{
    in_transaction([](BTree tree) {
        fill(tree, {"a", "\xff", "\xff\xff", "\xff\xff\x01", "\xfe\xff", "\xfe\xff\xff"});
        const auto count = [&](const char* prefix) {
            return tree.prefix(prefix).to_vector().size();
        };
        BOOST_TEST(count("\xff") == 3U);
        BOOST_TEST(count("\xff\xff") == 2U);
        BOOST_TEST(count("\xfe\xff") == 2U);
        BOOST_TEST(count("") == 6U);
        BOOST_TEST(keys(tree.prefix("\xff\xff", {.limit = 1, .reverse = true})) == "\xff\xff\x01 ");
    });
}

BOOST_AUTO_TEST_CASE(a_range_can_be_walked_again)
{
    in_transaction([](BTree tree) {
        fill(tree, {"a", "b"});
        BTreeRange range = tree.scan({.limit = 1});
        for (int i = 0; i < 2; ++i) {
            int seen = 0;
            for (const auto [key, value] : range) {
                BOOST_TEST(key == "a");
                BOOST_TEST(value == "va");
                ++seen;
            }
            BOOST_TEST(seen == 1);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_loop_may_change_the_entry_it_stands_on)
{
    in_transaction([](BTree tree) {
        fill(tree, {"a", "b", "c"});
        for (const auto [key, value] : tree.scan()) {
            const std::string before(value);
            tree.put(key, "changed");
            BOOST_TEST(value == before);
            tree.erase(key);
            BOOST_TEST(value == before);
        }
        BOOST_TEST(keys(tree.scan()) == "");
    });
}

// Transactions of all sizes against a map, some of them stored, some not yet.
BOOST_AUTO_TEST_CASE(random_transactions_equal_a_map)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([seed]() -> Task {
        std::mt19937 random(seed);
        std::map<std::string, std::string> model;
        Database db = co_await Database::open(Options("memory:"));
        co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); });
        for (int round = 0; round < 60; ++round) {
            co_await db.update([&](Transaction& tx) {
                BTree tree = tx.btree("b");
                for (std::size_t i = random() % 10; i > 0; --i) {
                    const std::string key = std::to_string(random() % 30);
                    if (random() % 3 == 0) {
                        BOOST_TEST(tree.erase(key) == (model.erase(key) == 1), "seed " << seed);
                    } else {
                        const std::string value = std::to_string(random());
                        tree.put(key, value);
                        model[key] = value;
                    }
                }
            });
            const Entries expected(model.begin(), model.end());
            co_await db.view([&](const Snapshot& snapshot) {
                BTreeView tree = snapshot.btree("b");
                BOOST_TEST((tree.scan().to_vector() == expected), "seed " << seed);
                BOOST_TEST((tree.scan({.reverse = true}).to_vector() ==
                            Entries(expected.rbegin(), expected.rend())),
                           "seed " << seed);
            });
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
