// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace keywatch;
using namespace keywatch::test;

namespace {

/// `keys`: each byte is a key.
Task put_all(BulkWriter& writer, std::string keys, std::string value)
{
    for (const char key : keys) {
        co_await writer.put("b", std::string(1, key), value);
    }
}

asio::awaitable<std::string> keys_of(Database db)
{
    co_return co_await db.view([](const Snapshot& snapshot) {
        std::string keys;
        for (const auto [key, value] : snapshot.btree("b").scan()) {
            keys += key;
        }
        return keys;
    });
}

}  // namespace

// Bulk writers that are assigned, and those whose messages contain more than what was written.
BOOST_FIXTURE_TEST_SUITE(test_bulk_writer_edges, EventLoop)

BOOST_AUTO_TEST_CASE(an_assigned_bulk_writer_drops_its_own_writes_and_continues_with_the_other)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer();
        BulkWriter other = db.bulk_writer();
        co_await put_all(writer, "x", "dropped");
        co_await put_all(other, "ab", "1");
        writer = std::move(other);
        BOOST_TEST(failure_of([&] { other.committed(); }) == code(Error::bulk_writer_in_use));
        co_await put_all(writer, "c", "2");
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 3U);
        BOOST_TEST(co_await keys_of(db) == "abc");
        other = db.bulk_writer();
        co_await put_all(other, "d", "3");
        BulkWriter& self = other;
        other = std::move(self);
        co_await other.flush();
        BOOST_TEST(co_await keys_of(db) == "abcd");
        co_await db.close();
    });
}

// The messages contain the previous values, so there are more transactions, but none is too large.
BOOST_AUTO_TEST_CASE(replaced_values_count_if_they_are_recorded)
{
    run([]() -> Task {
        const std::string keys = "abcdefgh";
        for (const bool previous_values : {false, true}) {
            Options options = watched_options();
            options.max_transaction_bytes = 10000;
            options.previous_values = previous_values;
            Database db = co_await open_with(options, "b");
            BulkWriter writer = db.bulk_writer();
            co_await put_all(writer, keys, std::string(4000, 'v'));
            co_await writer.flush();
            const Revision before = db.head_revision();
            co_await put_all(writer, keys, "");
            co_await writer.flush();
            BOOST_TEST(writer.committed() == 2 * keys.size());
            BOOST_TEST(db.head_revision() - before == (previous_values ? keys.size() : 1U));
            co_await db.close();
        }
    });
}

// If keys have deadlines, then the old value is read but not recorded.
BOOST_AUTO_TEST_CASE(replaced_values_do_not_count_if_they_are_only_read)
{
    run([]() -> Task {
        const std::string keys = "abcdefgh";
        Options options = watched_options();
        options.max_transaction_bytes = 10000;
        Database db = co_await open_with(options, "b");
        co_await db.put("b", "z", "", std::chrono::hours{1});
        BulkWriter writer = db.bulk_writer();
        co_await put_all(writer, keys, std::string(4000, 'v'));
        co_await writer.flush();
        const Revision before = db.head_revision();
        co_await put_all(writer, keys, "");
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 2 * keys.size());
        BOOST_TEST(db.head_revision() - before == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
