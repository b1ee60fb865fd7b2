// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;
using Value = std::optional<std::string>;
using Change = std::function<void(BTree)>;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// Changes bucket `b` in a transaction. Returns its messages: `<index> <operation> <key>=<value>`.
asio::awaitable<Strings> messages_of(Database db, Change change)
{
    const Revision before = db.head_revision();
    co_await db.update([&](Transaction& tx) { change(tx.btree("b")); });
    Strings lines = co_await history_of(db, "b", all(), From::revision(before + 1));
    for (std::string& line : lines) {
        line.erase(0, line.find('.') + 1);
    }
    co_return lines;
}

/// Returns a database with bucket `b`, in which `k` is `old` and `n` is 5.
asio::awaitable<Database> open_filled()
{
    Database db = co_await open_with("b");
    co_await put(db, "b", "k", "old");
    co_await put(db, "b", "n", "5");
    co_return db;
}

/// Returns all operations that can write a value, on one key.
const std::vector<Change>& writes(const std::string& key)
{
    static std::map<std::string, std::vector<Change>> made;
    if (made[key].empty()) {
        made[key] = {
            [key](BTree tree) { tree.put(key, "v"); },
            [key](BTree tree) { tree.put_many({{key, "v"}}); },
            [key](BTree tree) { tree.put_if_absent(key, "v"); },
            [key](BTree tree) { tree.put_if_present(key, "v"); },
            [key](BTree tree) { tree.exchange(key, "v"); },
            [key](BTree tree) { tree.increment(key); },
            [key](BTree tree) { tree.decrement(key); },
            [key](BTree tree) { tree.append(key, "v"); },
            [key](BTree tree) { tree.append(key, ""); },
            [key](BTree tree) { tree.set_bit(key, 7, true); },
            [key](BTree tree) { tree.set_bit(key, 7, false); },
        };
    }
    return made[key];
}

}  // namespace

// The results of the operations of a BTree bucket, the contents afterwards, and the messages for
// watchers.
BOOST_FIXTURE_TEST_SUITE(test_btree_operations, EventLoop)

BOOST_AUTO_TEST_CASE(conditional_puts_apply_or_leave_no_trace)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            BOOST_TEST(!tree.put_if_absent("k", "new"));
            BOOST_TEST(tree.get("k") == "old");
            BOOST_TEST(!tree.put_if_present("a", "new"));
            BOOST_TEST(!tree.contains("a"));
            BOOST_TEST(tree.put_if_absent("a", "1"));
            BOOST_TEST(!tree.put_if_absent("a", "2"));
            BOOST_TEST(tree.put_if_present("a", "1"));
            BOOST_TEST(tree.put_if_present("a", ""));
            tree.erase("k");
            BOOST_TEST(!tree.put_if_present("k", "new"));
            BOOST_TEST(tree.put_if_absent("k", "new"));
        });
        BOOST_TEST(messages ==
                   (Strings{"0 put a=1", "1 put a=1", "2 put a=", "3 erase k=", "4 put k=new"}));
        BOOST_TEST(co_await get(db, "b", "k") == "new");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_exchange_always_writes_and_returns_the_previous_value)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            BOOST_TEST(tree.exchange("k", "new") == "old");
            BOOST_TEST(tree.exchange("k", "new") == "new");
            BOOST_TEST(tree.exchange("a", "") == std::nullopt);
            BOOST_TEST(tree.exchange("a", "1") == "");
            BOOST_TEST(tree.get("k") == "new");
        });
        BOOST_TEST(messages == (Strings{"0 put k=new", "1 put k=new", "2 put a=", "3 put a=1"}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(many_are_put_and_got_in_the_order_given)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            tree.put_many({{"z", "1"}, {"a", "2"}, {"z", "3"}});
            tree.put_many(std::vector<std::pair<std::string, std::string>>{{"m", "4"}});
            tree.put_many(tree.range("a", "b"));
            const auto empty_key = [&] { tree.put_many({{"x", "5"}, {"", "6"}, {"y", "7"}}); };
            BOOST_TEST(failure_of(empty_key) == code(Error::empty_key));
            const std::vector<Value> values = tree.get_many({"z", "none", "a", "", "z"});
            BOOST_TEST(values == (std::vector<Value>{"3", std::nullopt, "2", std::nullopt, "3"}));
            BOOST_TEST(tree.get_many(Strings{"m", "k"}) == (std::vector<Value>{"4", "old"}));
            BOOST_TEST(tree.get_many(std::array{"x", "y"}) ==
                       (std::vector<Value>{"5", std::nullopt}));
            BOOST_TEST(tree.get_many({}).empty());
        });
        BOOST_TEST(messages == (Strings{"0 put z=1", "1 put a=2", "2 put z=3", "3 put m=4",
                                        "4 put a=2", "5 put x=5"}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(numbers_are_counted_up_and_down_as_text)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            BOOST_TEST(tree.increment("n") == 6);
            BOOST_TEST(tree.increment("n", 0) == 6);
            BOOST_TEST(tree.decrement("n", 0) == 6);
            BOOST_TEST(tree.decrement("n", 16) == -10);
            BOOST_TEST(tree.increment("new", 0) == 0);
            BOOST_TEST(tree.decrement("other") == -1);
            BOOST_TEST(tree.increment("n", 10) == 0);
            BOOST_TEST(tree.get("n") == "0");
            BOOST_TEST(tree.increment("n", least) == least);
            BOOST_TEST(tree.decrement("n", least) == 0);
            BOOST_TEST(tree.increment("n", most) == most);
        });
        BOOST_TEST(messages == (Strings{"0 put n=6", "1 put n=-10", "2 put new=0", "3 put other=-1",
                                        "4 put n=0", "5 put n=" + std::to_string(least),
                                        "6 put n=0", "7 put n=" + std::to_string(most)}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_value_that_is_no_number_or_gets_too_large_is_unchanged)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            const auto error_of = [&](std::int64_t by) {
                return failure_of([&] { tree.increment("n", by); });
            };
            for (const std::string& text : {"old"s, ""s, "05"s, "+5"s, "-0"s, " 5"s, "5\n"s, "5\0"s,
                                            "9223372036854775808"s, std::string(100'000, '5')}) {
                tree.put("n", text);
                BOOST_TEST(error_of(0) == code(Error::not_a_number));
                BOOST_TEST(failure_of([&] { tree.decrement("n"); }) == code(Error::not_a_number));
                BOOST_TEST(tree.get("n") == text);
            }
            tree.put("n", std::to_string(most));
            BOOST_TEST(error_of(1) == code(Error::number_overflow));
            BOOST_TEST(error_of(most) == code(Error::number_overflow));
            BOOST_TEST(tree.get("n") == std::to_string(most));
            tree.put("n", std::to_string(least));
            BOOST_TEST(error_of(-1) == code(Error::number_overflow));
            BOOST_TEST(failure_of([&] { tree.decrement("n"); }) == code(Error::number_overflow));
            BOOST_TEST(failure_of([&] { tree.decrement("absent", least); }) ==
                       code(Error::number_overflow));
            BOOST_TEST(!tree.contains("absent"));
            BOOST_TEST(tree.increment("n") == least + 1);  // counting continues
        });
        BOOST_TEST(messages.size() == 13U);
        BOOST_TEST(messages.back() == "12 put n=" + std::to_string(least + 1));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(appending_writes_the_whole_value)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            BOOST_TEST(tree.append("k", "er") == 5U);
            BOOST_TEST(tree.append("k", "") == 5U);
            BOOST_TEST(tree.append("absent", "") == 0U);
            BOOST_TEST(!tree.contains("absent"));
            BOOST_TEST(tree.append("a", "\0\xff"s) == 2U);
            BOOST_TEST(tree.append("a", "x") == 3U);
            BOOST_TEST(tree.get("a") == "\0\xffx"s);
            BOOST_TEST(tree.append("k", *tree.get("k")) == 10U);
        });
        BOOST_TEST(messages == (Strings{"0 put k=older", "1 put a=\0\xff"s, "2 put a=\0\xffx"s,
                                        "3 put k=olderolder"}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(bits_are_set_and_values_grow_for_them)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            BOOST_TEST(!tree.set_bit("a", 1, true));
            BOOST_TEST(tree.get("a") == "\x40");
            BOOST_TEST(tree.set_bit("a", 1, true));
            BOOST_TEST(!tree.set_bit("a", 100, false));  // bits beyond the end are 0 already
            BOOST_TEST(!tree.set_bit("absent", 100, false));
            BOOST_TEST(!tree.contains("absent"));
            BOOST_TEST(!tree.set_bit("a", 23, true));
            BOOST_TEST(tree.get("a") == "\x40\0\x01"s);
            BOOST_TEST(tree.set_bit("a", 23, false));
            BOOST_TEST(tree.get("a") == "\x40\0\0"s);
            BOOST_TEST(tree.get_bit("a", 1));
            BOOST_TEST(!tree.get_bit("a", 8));
            BOOST_TEST(!tree.get_bit("a", 24));
            BOOST_TEST(!tree.get_bit("absent", 0));
            BOOST_TEST(!tree.get_bit("", 0));
            BOOST_TEST(tree.get_bit("k", 1));  // 'o' is 0x6f
            BOOST_TEST(!tree.get_bit("k", 3));
        });
        BOOST_TEST(messages ==
                   (Strings{"0 put a=\x40", "1 put a=\x40\0\x01"s, "2 put a=\x40\0\0"s}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(parts_of_values_and_ends_of_buckets_are_read)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const auto check = [](const BTreeView& tree) {
            BOOST_TEST(tree.value_length("k") == 3U);
            BOOST_TEST(tree.value_length("none") == std::nullopt);
            BOOST_TEST(tree.value_length("") == std::nullopt);
            BOOST_TEST(tree.substring("k", 1, 1) == "l");
            BOOST_TEST(tree.substring("k", 1) == "ld");
            BOOST_TEST(tree.substring("k", 0, 100) == "old");
            BOOST_TEST(tree.substring("k", 3, 1) == "");
            BOOST_TEST(tree.substring("k", SIZE_MAX, SIZE_MAX) == "");
            BOOST_TEST(tree.substring("none", 0, 1) == std::nullopt);
            BOOST_TEST(tree.substring("", 0, 1) == std::nullopt);
            BOOST_TEST(tree.first_key() == "k");
            BOOST_TEST(tree.last_key() == "n");
        };
        co_await db.view([&](const Snapshot& snapshot) { check(snapshot.btree("b")); });
        co_await db.update([&](Transaction& tx) {
            BTree tree = tx.btree("b");
            check(tree);
            tree.put("\0"s, "");
            tree.put("\xff", "");
            BOOST_TEST(tree.value_length("\xff") == 0U);
            BOOST_TEST(tree.first_key() == "\0"s);
            BOOST_TEST(tree.last_key() == "\xff");
            for (const std::string& key : tree.scan().keys()) {
                tree.erase(key);
            }
            BOOST_TEST(tree.first_key() == std::nullopt);
            BOOST_TEST(tree.last_key() == std::nullopt);
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(no_operation_writes_an_empty_key)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Strings messages = co_await messages_of(db, [](BTree tree) {
            for (const Change& write : writes("")) {
                BOOST_TEST(failure_of([&] { write(tree); }) == code(Error::empty_key));
            }
        });
        BOOST_TEST(messages.empty());
        co_await db.close();
    });
}

// A function that throws changes nothing, neither the stored contents nor what others read.
BOOST_AUTO_TEST_CASE(a_transaction_that_threw_has_no_effect)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Revision before = db.head_revision();
        for (const std::string key : {"k", "n", "absent"}) {
            for (const Change& write : writes(key)) {
                const auto throwing = [&](Transaction& tx) {
                    write(tx.btree("b"));
                    throw std::out_of_range("never mind");
                };
                try {
                    co_await db.update(throwing);
                    BOOST_TEST(false, "it did not throw");
                } catch (const std::exception&) {
                    // The exception above, or that of `increment`, as `old` is not a number.
                }
            }
        }
        BOOST_TEST(co_await get(db, "b", "k") == "old");
        BOOST_TEST(co_await get(db, "b", "n") == "5");
        BOOST_TEST(co_await get(db, "b", "absent") == std::nullopt);
        BOOST_TEST(db.head_revision() == before);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(nothing_works_in_a_deleted_bucket_or_a_finished_transaction)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        std::optional<BTree> kept;
        std::vector<Change> uses = writes("k");
        uses.emplace_back([](BTree tree) { (void)tree.get_many({"k"}); });
        uses.emplace_back([](BTree tree) { (void)tree.value_length("k"); });
        uses.emplace_back([](BTree tree) { (void)tree.substring("k", 0); });
        uses.emplace_back([](BTree tree) { (void)tree.get_bit("k", 0); });
        uses.emplace_back([](BTree tree) { (void)tree.first_key(); });
        uses.emplace_back([](BTree tree) { (void)tree.last_key(); });
        co_await db.update([&](Transaction& tx) {
            kept = tx.btree("b");
            BTree deleted = tx.btree("b");
            tx.delete_bucket(Structure::btree, "b");
            for (const Change& use : uses) {
                BOOST_TEST(failure_of([&] { use(deleted); }) == code(Error::bucket_not_found));
            }
        });
        for (const Change& use : uses) {
            BOOST_TEST(failure_of([&] { use(*kept); }) == code(Error::transaction_finished));
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
