// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;

Strings keys_of(BTreeRange range)
{
    Strings keys;
    for (const auto& [key, value] : range) {
        keys.emplace_back(key);
    }
    return keys;
}

Scan limit(std::size_t most)
{
    Scan scan;
    scan.limit = most;
    return scan;
}

Scan reverse(std::size_t most = SIZE_MAX)
{
    Scan scan = limit(most);
    scan.reverse = true;
    return scan;
}

void check_scans(const BTreeView& tree)
{
    BOOST_TEST(keys_of(tree.scan()) == (Strings{"a", "ab", "b", "ba", "c"}));
    BOOST_TEST(keys_of(tree.scan(reverse())) == (Strings{"c", "ba", "b", "ab", "a"}));
    BOOST_TEST(keys_of(tree.scan(limit(2))) == (Strings{"a", "ab"}));
    BOOST_TEST(keys_of(tree.scan(reverse(2))) == (Strings{"c", "ba"}));
    BOOST_TEST(keys_of(tree.scan(limit(0))).empty());
    BOOST_TEST(keys_of(tree.range("ab", "c")) == (Strings{"ab", "b", "ba"}));
    BOOST_TEST(keys_of(tree.range("ab", "c", reverse())) == (Strings{"ba", "b", "ab"}));
    BOOST_TEST(keys_of(tree.range("aa", "bb", reverse(1))) == Strings{"ba"});
    BOOST_TEST(keys_of(tree.range("c", "a")).empty());
    BOOST_TEST(keys_of(tree.range("c", "a", reverse())).empty());
    BOOST_TEST(keys_of(tree.range("b", "b")).empty());
    BOOST_TEST(keys_of(tree.prefix("a")) == (Strings{"a", "ab"}));
    BOOST_TEST(keys_of(tree.prefix("b", reverse())) == (Strings{"ba", "b"}));
    BOOST_TEST(keys_of(tree.prefix("")) == keys_of(tree.scan()));
    BOOST_TEST(keys_of(tree.prefix("zz")).empty());
}

void check_iterator(const BTreeView& tree)
{
    BTreeIterator at = tree.iterator();
    BOOST_TEST(!at.valid());
    at.first();
    BOOST_TEST(at.key() == "a");
    at.previous();
    BOOST_TEST(!at.valid());
    at.last();
    BOOST_TEST(at.key() == "c");
    at.seek("aa");
    BOOST_TEST(at.key() == "ab");
    at.previous();
    BOOST_TEST(at.key() == "a");
    at.next();
    at.next();
    BOOST_TEST(at.key() == "b");
    BOOST_TEST(at.value() == "3");
    at.seek_before("b");
    BOOST_TEST(at.key() == "ab");
    at.seek("d");
    BOOST_TEST(!at.valid());
    at.seek_before("d");
    BOOST_TEST(at.key() == "c");
}

/// Fills a bucket in two halves: the first is durable, the second is written by the transaction
/// under test.
void fill(BTree tree, bool second_half)
{
    const Entries entries{{"b", "3"}, {"a", "1"},  {"gone", "6"},
                          {"c", "5"}, {"ab", "2"}, {"ba", "4"}};
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if ((i >= 3) == second_half) {
            tree.put(entries[i].first, entries[i].second);
        }
    }
    if (second_half) {
        tree.erase("gone");
    }
}

/// Returns the largest and smallest strings, and everything that could be mistaken for a separator.
Strings odd_strings()
{
    return {std::string(1, '\0'),         "\0\0"s, "\0\xff"s, "\x01"s, "\xff"s, "\xff\xff"s,
            std::string(100'000, '\xff'), "a\0b"s, "a"s,      "a\xff"s};
}

void change_at_random(std::mt19937& random, BTree& tree, std::map<std::string, std::string>& model)
{
    const std::string key = "k" + std::to_string(random() % 40);
    if (random() % 3 == 0) {
        BOOST_TEST(tree.erase(key) == (model.erase(key) != 0));
    } else {
        const std::string value = std::to_string(random() % 1000);
        tree.put(key, value);
        model[key] = value;
    }
}

void compare(const BTreeView& tree, const std::map<std::string, std::string>& model)
{
    BOOST_TEST(tree.scan().to_vector() == Entries(model.begin(), model.end()));
    BOOST_TEST(tree.scan(reverse()).to_vector() == Entries(model.rbegin(), model.rend()));
}

}  // namespace

// The public interface of a BTree bucket: puts, reads, ranges and iterators.
BOOST_FIXTURE_TEST_SUITE(test_btree_api, EventLoop)

BOOST_AUTO_TEST_CASE(keys_are_put_got_and_erased)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            BOOST_TEST(tree.get("k") == std::nullopt);
            tree.put("k", "1");
            BOOST_TEST(tree.get("k") == "1");
            tree.put("k", "");
            BOOST_TEST(tree.get("k") == "");
            BOOST_TEST(tree.contains("k"));
            BOOST_TEST(tree.erase("k"));
            BOOST_TEST(!tree.erase("k"));
            BOOST_TEST(!tree.contains("k"));
            BOOST_TEST(failure_of([&] { tree.put("", "v"); }) == code(Error::empty_key));
            BOOST_TEST(tree.get("") == std::nullopt);
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(ranges_prefixes_and_iterators_go_both_ways)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "a");  // neighbouring buckets, whose keys must not appear
        co_await create(db, "c");
        co_await put(db, "a", "zz", "");
        co_await put(db, "c", "0", "");
        co_await db.update([](Transaction& tx) { fill(tx.btree("b"), false); });
        co_await db.update([](Transaction& tx) {
            fill(tx.btree("b"), true);
            check_scans(tx.btree("b"));
            check_iterator(tx.btree("b"));
        });
        co_await db.view([](const Snapshot& snapshot) {
            check_scans(snapshot.btree("b"));
            check_iterator(snapshot.btree("b"));
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(keys_and_values_are_any_bytes)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        Strings keys = odd_strings();
        co_await db.update([&](Transaction& tx) {
            for (const std::string& key : keys) {
                tx.btree("b").put(key, key);
            }
        });
        co_await db.close();
        BOOST_TEST(recorder.keys() == keys);
    });
}

// After any sequence of transactions, a transaction and a view see the contents of a map.
BOOST_AUTO_TEST_CASE(random_transactions_agree_with_a_map)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with("b");
        std::mt19937 random(seed);
        std::map<std::string, std::string> model;
        for (int i = 0; i < 100; ++i) {
            co_await db.update([&](Transaction& tx) {
                BTree tree = tx.btree("b");
                for (auto changes = random() % 10; changes > 0; --changes) {
                    change_at_random(random, tree, model);
                }
                compare(tree, model);
            });
            co_await db.view([&](const Snapshot& s) { compare(s.btree("b"), model); });
        }
        co_await db.close();
    });
}

// Views returned by an iterator do not change before it is moved, even if the transaction writes to
// the same key. Of later writes, the iterator sees those after its place.
BOOST_AUTO_TEST_CASE(iterators_survive_writes_of_their_transaction)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const std::string long_value(100, 'l');
        co_await db.update([&](Transaction& tx) {
            BTree tree = tx.btree("b");
            tree.put("a", "1");
            tree.put("c", "33");
            std::string seen;
            for (const auto& [key, value] : tree.scan()) {
                tree.put(key, long_value);
                tree.put(key, "x");
                tree.put("b", "2");
                tree.put("0", "behind");
                seen += std::string(key) + std::string(value);
                tree.put(key, value);  // replaces the data of earlier views
                tree.erase("c");
                tree.put("c", "33");
            }
            BOOST_TEST(seen == "a1b2c33");
            BOOST_TEST(tree.get("a") == "1");
        });
        co_await db.close();
        Strings values;
        for (const OwnedMessage& each : recorder.messages()) {
            if (each->key == "a") {
                values.emplace_back(each->value);
            }
        }
        const Strings expected{"1", long_value, "x", "1"};
        BOOST_TEST(values == expected);
    });
}

BOOST_AUTO_TEST_CASE(large_transactions_are_committed_and_larger_ones_refused)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_transaction_bytes = 3'000'000;
        Database db = co_await open_with(options, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("huge"), recorder);
        const Run run = co_await start(watcher);
        const std::string huge(1'400'000, 'h');  // counted in the data and in the message
        co_await put(db, "b", "huge", huge);
        const auto too_large = [&](Transaction& tx) {
            const auto error = failure_of([&] { tx.btree("b").put("huge", huge + huge); });
            BOOST_TEST(error == code(Error::transaction_too_large));
            // Catching the exception does not help.
        };
        const auto error = co_await failure_of([](Database database, auto fn) -> Task {
            co_await database.update(fn);
        }(db, too_large));
        BOOST_TEST(error == code(Error::transaction_too_large));
        co_await db.close();
        BOOST_TEST_REQUIRE(recorder.size() == 1U);
        BOOST_TEST(recorder.messages()[0]->value == huge);
    });
}

// A view or an iterator that has left its function throws, and keeps nothing alive.
BOOST_AUTO_TEST_CASE(nothing_can_be_used_after_its_function_has_returned)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put(db, "b", "k", "1");
        std::optional<BTree> tree;
        std::optional<BTreeView> view;
        std::vector<BTreeIterator> iterators;
        std::optional<Transaction> transaction;
        co_await db.update([&](Transaction& tx) {
            transaction = tx;
            tree = tx.btree("b");
            iterators.push_back(tree->iterator());
            iterators.back().first();
        });
        co_await db.view([&](const Snapshot& snapshot) {
            view = snapshot.btree("b");
            iterators.push_back(view->iterator());
            iterators.back().first();
        });
        const auto finished = code(Error::transaction_finished);
        const auto check = [&] {
            BOOST_TEST(failure_of([&] { tree->put("k", "2"); }) == finished);
            BOOST_TEST(failure_of([&] { tree->erase("k"); }) == finished);
            BOOST_TEST(failure_of([&] { tree->get("k"); }) == finished);
            BOOST_TEST(failure_of([&] { view->get("k"); }) == finished);
            BOOST_TEST(failure_of([&] { view->scan().to_vector(); }) == finished);
            BOOST_TEST(failure_of([&] { transaction->btree("b"); }) == finished);
            BOOST_TEST(failure_of([&] { transaction->buckets(); }) == finished);
            for (BTreeIterator& each : iterators) {
                BOOST_TEST(failure_of([&] { each.next(); }) == finished);
                BOOST_TEST(failure_of([&] { (void)each.valid(); }) == finished);
                BOOST_TEST(failure_of([&] { (void)each.key(); }) == finished);
                BOOST_TEST(failure_of([&] { each.seek("k"); }) == finished);
            }
        };
        check();
        co_await db.close();
        check();
    });
}

BOOST_AUTO_TEST_CASE(buckets_are_created_listed_and_deleted)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await db.update([](Transaction& tx) {
            tx.create_bucket(Structure::set, "b");
            tx.create_bucket(Structure::btree, "a\0a"s);
            BOOST_TEST(failure_of([&] { tx.create_bucket(Structure::set, "b"); }) ==
                       code(Error::bucket_exists));
            BOOST_TEST(failure_of([&] { tx.create_bucket(Structure::set, ""); }) ==
                       code(Error::invalid_name));
            const std::string long_name(65'536, 'n');
            BOOST_TEST(failure_of([&] { tx.create_bucket(Structure::set, long_name); }) ==
                       code(Error::invalid_name));
            BOOST_TEST(failure_of([&] { tx.set_origin(long_name); }) == code(Error::invalid_name));
            BOOST_TEST(failure_of([&] { tx.delete_bucket(Structure::list, "b"); }) ==
                       code(Error::bucket_not_found));
            BOOST_TEST(failure_of([&] { tx.btree("none"); }) == code(Error::bucket_not_found));
            BTree old = tx.btree("b");
            old.put("k", "old");
            tx.delete_bucket(Structure::btree, "b");
            BOOST_TEST(failure_of([&] { old.get("k"); }) == code(Error::bucket_not_found));
            tx.create_bucket(Structure::btree, "b");
            BOOST_TEST(!tx.btree("b").contains("k"));
        });
        const auto buckets =
            co_await db.view([](const Snapshot& snapshot) { return snapshot.buckets(); });
        const std::vector<Bucket> expected{
            {Structure::btree, "a\0a"s}, {Structure::btree, "b"}, {Structure::set, "b"}};
        BOOST_TEST(buckets == expected);
        co_await db.close();
    });
}

// The deletion of a bucket is one small commit, regardless of its size; a new bucket of that name
// is empty.
BOOST_AUTO_TEST_CASE(dropping_a_large_bucket_is_a_small_commit)
{
    run([]() -> Task {
        Options options = watched_options();
        Database db = co_await open_with(options, "b");
        for (int part = 0; part < 3; ++part) {
            co_await db.update([&](Transaction& tx) {
                for (int i = 0; i < 2000; ++i) {
                    tx.btree("b").put(std::to_string(part) + "." + std::to_string(i), "value");
                }
            });
        }
        std::size_t pinned = 0;
        Watcher watcher =
            db.watch("b", all(), [&](const Commit& commit) { pinned = commit.size(); });
        const Run run = co_await start(watcher);
        co_await drop(db, "b");
        co_await run.end();
        BOOST_TEST(pinned == 1U);
        co_await create(db, "b");
        co_await db.view([](const Snapshot& snapshot) {
            BOOST_TEST(snapshot.btree("b").scan().to_vector().empty());
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
