// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

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

/// A bucket in a database in memory. Cases run in one transaction, where all contents are visible.
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

/// Returns the messages of a transaction on a bucket in which `k` is `old` and `n` is 5:
/// `key=value<previous` for each.
asio::awaitable<std::string> told_of(bool previous_values, std::function<void(BTree)> change)
{
    Options options = test::watched_options();
    options.previous_values = previous_values;
    Database db = co_await test::open_with(options, "b");
    auto fill = [](Transaction& tx) { tx.btree("b").put_many({{"k", "old"}, {"n", "5"}}); };
    co_await db.update(fill);
    PullWatcher watcher = db.watch("b", all());
    auto apply = [&](Transaction& tx) { change(tx.btree("b")); };
    co_await db.update(apply);
    std::string told;
    const bool there = co_await watcher.wait();
    BOOST_TEST_REQUIRE(there);
    const auto commit = watcher.try_next();
    for (const Message& message : commit.value()) {
        told += std::string(message.key) + '=' + std::string(message.value);
        told += message.previous ? '<' + std::string(*message.previous) : "";
        told += ' ';
    }
    co_await watcher.stop();  // the commit counts as delivered when the consumer asks for more
    co_await db.close();
    co_return told;
}

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

// The structure `btree`: keys, ranges, scans and prefixes.
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
            BOOST_TEST(tree.get(text) == text);
        }
        tree.put("empty", "");
        BOOST_TEST(tree.get("empty") == "");
        BOOST_TEST(!tree.get("not there"));
        BOOST_TEST(failure_of([&] { tree.put("", "v"); }) == code(Error::empty_key));
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

BOOST_AUTO_TEST_CASE(a_loop_may_change_its_current_entry)
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

BOOST_AUTO_TEST_CASE(writes_that_read_the_value_report_the_previous_one)
{
    run([]() -> Task {
        for (const bool previous_values : {false, true}) {
            const std::string told = co_await told_of(previous_values, [](BTree tree) {
                tree.exchange("k", "1");
                tree.exchange("new", "");
                tree.exchange("new", "x");
                tree.increment("n", 2);
                tree.decrement("n");
                tree.increment("m");
                tree.append("k", "2");
                tree.append("a", "3");
                tree.put_if_present("k", "4");
                tree.put_if_absent("c", "5");
                tree.set_bit("k", 0, true);
                tree.set_bit("d", 1, true);
            });
            BOOST_TEST(told ==
                       "k=1<old new= new=x< n=7<5 n=6<7 m=1 k=12<1 a=3 k=4<12 c=5 "
                       "k=\xb4<4 d=@ ");
        }
    });
}

BOOST_AUTO_TEST_CASE(a_put_reports_the_previous_value_if_configured)
{
    run([]() -> Task {
        const auto change = [](BTree tree) {
            tree.put("k", "1");
            tree.put_many({{"k", ""}, {"new", "2"}});
            tree.put("k", "3");
            tree.erase("k");
            tree.put("k", "4");
        };
        const std::string without = co_await told_of(false, change);
        BOOST_TEST(without == "k=1 k= new=2 k=3 k=<3 k=4 ");
        const std::string with = co_await told_of(true, change);
        BOOST_TEST(with == "k=1<old k=<1 new=2 k=3< k=<3 k=4 ");
        // If there are deadlines, then the old value is read in any case.
        const auto dated = [](BTree tree) {
            tree.put("other", "1", std::chrono::hours{1});
            tree.put("k", "2");
        };
        BOOST_TEST(co_await told_of(false, dated) == "other=1 k=2 ");
    });
}

// Transactions of all sizes, partly stored already, compared with a map.
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
