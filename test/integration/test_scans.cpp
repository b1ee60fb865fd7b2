// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;

/// Runs `check` in a view of bucket `b`, in which each of the keys `k0` to `k9` and `other` has
/// itself as its value.
Task in_view(std::function<void(const BTreeView&)> check)
{
    Database db = co_await open_with("b");
    co_await db.update([](Transaction& tx) {
        BTree tree = tx.btree("b");
        for (int i = 0; i < 10; ++i) {
            const std::string key = "k" + std::to_string(i);
            tree.put(key, key);
        }
        tree.put("other", "other");
    });
    co_await db.view([&](const Snapshot& snapshot) { check(snapshot.btree("b")); });
    co_await db.close();
}

}  // namespace

// Parts of a BTree bucket: offset, limit, direction and pattern together.
BOOST_FIXTURE_TEST_SUITE(test_scans, EventLoop)

BOOST_AUTO_TEST_CASE(an_offset_leaves_out_entries_at_the_beginning_of_the_scan)
{
    run([] {
        return in_view([](const BTreeView& tree) {
            BOOST_TEST(tree.scan({.offset = 9}).keys() == (Strings{"k9", "other"}));
            BOOST_TEST(tree.scan({.offset = 2, .limit = 2}).keys() == (Strings{"k2", "k3"}));
            BOOST_TEST(tree.scan({.offset = 1, .limit = 2, .reverse = true}).keys() ==
                       (Strings{"k9", "k8"}));
            BOOST_TEST(tree.range("k3", "k6", {.offset = 1}).keys() == (Strings{"k4", "k5"}));
            BOOST_TEST(tree.range("k3", "k6", {.offset = 2, .reverse = true}).keys() ==
                       Strings{"k3"});
            BOOST_TEST(tree.prefix("k", {.offset = 8, .limit = 5}).keys() == (Strings{"k8", "k9"}));
            BOOST_TEST(tree.prefix("k", {.offset = 10}).keys().empty());
            BOOST_TEST(tree.scan({.offset = SIZE_MAX}).keys().empty());
            BOOST_TEST(tree.scan({.offset = SIZE_MAX, .limit = 1}).keys().empty());
            BOOST_TEST(tree.scan({.offset = 1, .limit = 0}).keys().empty());
        });
    });
}

BOOST_AUTO_TEST_CASE(offset_and_limit_count_what_the_pattern_selects)
{
    run([] {
        return in_view([](const BTreeView& tree) {
            const KeyPattern even("[02468]$");
            BOOST_TEST(tree.scan({.pattern = even}).keys() ==
                       (Strings{"k0", "k2", "k4", "k6", "k8"}));
            BOOST_TEST(tree.scan({.offset = 1, .limit = 2, .pattern = even}).keys() ==
                       (Strings{"k2", "k4"}));
            BOOST_TEST(
                tree.scan({.offset = 1, .limit = 2, .reverse = true, .pattern = even}).keys() ==
                (Strings{"k6", "k4"}));
            BOOST_TEST(tree.prefix("k", {.offset = 4, .pattern = even}).keys() == Strings{"k8"});
            BOOST_TEST(tree.prefix("k", {.offset = 5, .pattern = even}).keys().empty());
            BOOST_TEST(tree.range("k1", "k5", {.pattern = even}).keys() == (Strings{"k2", "k4"}));
            BOOST_TEST(tree.scan({.pattern = KeyPattern("x")}).keys().empty());
            BOOST_TEST(tree.prefix("k1", {.pattern = KeyPattern("^k.$")}).keys() == Strings{"k1"});
        });
    });
}

BOOST_AUTO_TEST_CASE(keys_and_values_are_copied_alone_or_together)
{
    run([] {
        return in_view([](const BTreeView& tree) {
            BTreeRange range = tree.scan({.offset = 9, .limit = 2});
            const std::vector<std::pair<std::string, std::string>> entries{{"k9", "k9"},
                                                                           {"other", "other"}};
            for (int i = 0; i < 2; ++i) {
                BOOST_TEST(range.keys() == (Strings{"k9", "other"}));
                BOOST_TEST(range.values() == (Strings{"k9", "other"}));
                BOOST_TEST(range.to_vector() == entries);
            }
        });
    });
}

BOOST_AUTO_TEST_CASE(patterns_see_the_bytes_of_the_key)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            for (const std::string& key : {"a\0b"s, "a\nb"s, "a\xff"s, "\0"s}) {
                tree.put(key, "");
            }
            BOOST_TEST(tree.scan({.pattern = KeyPattern("^a.b$")}).keys() ==
                       (Strings{"a\0b"s, "a\nb"s}));
            BOOST_TEST(tree.scan({.pattern = KeyPattern("\\x00")}).keys() ==
                       (Strings{"\0"s, "a\0b"s}));
            BOOST_TEST(tree.scan({.pattern = KeyPattern("[\\x80-\\xff]")}).keys() ==
                       Strings{"a\xff"s});
        });
        co_await db.close();
    });
}

// The error of the pattern is thrown in the loop of the scan; the range can be scanned again.
BOOST_AUTO_TEST_CASE(a_pattern_that_takes_too_long_ends_the_scan_with_an_error)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const std::string costly = std::string(20'000, 'a');
        co_await put(db, "b", "a", "");
        co_await put(db, "b", costly, "");
        co_await db.view([&](const Snapshot& snapshot) {
            BTreeRange range = snapshot.btree("b").scan({.pattern = KeyPattern("^(a?){1000}$")});
            std::string seen;
            for (int i = 0; i < 2; ++i) {
                const auto error = failure_of([&] {
                    for (const auto& [key, value] : range) {
                        seen += key;
                    }
                });
                BOOST_TEST(error == code(Error::pattern_too_complex));
            }
            BOOST_TEST(seen == "aa");
        });
        const auto failing = [](Transaction& tx) {
            tx.btree("b").put("new", "");
            (void)tx.btree("b").scan({.pattern = KeyPattern("^(a?){1000}$")}).keys();
        };
        const auto error = co_await failure_of(
            [](Database database, auto fn) -> Task { co_await database.update(fn); }(db, failing));
        BOOST_TEST(error == code(Error::pattern_too_complex));
        BOOST_TEST(co_await get(db, "b", "new") == std::nullopt);
        co_await db.close();
    });
}

// Entries after the last one that is asked for are not matched.
BOOST_AUTO_TEST_CASE(a_limit_ends_the_search_too)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put(db, "b", "a", "");
        co_await put(db, "b", std::string(5000, 'a') + "b", "");
        co_await db.view([&](const Snapshot& snapshot) {
            const BTreeView tree = snapshot.btree("b");
            const KeyPattern costly("^(a+)+$");
            BOOST_TEST(tree.scan({.limit = 1, .pattern = costly}).keys() == Strings{"a"});
            BOOST_TEST(tree.scan({.limit = 0, .reverse = true, .pattern = costly}).keys().empty());
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
