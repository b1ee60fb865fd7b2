// SPDX-License-Identifier: BSL-1.0
#include "handles/database_state.hpp"
#include "support/printing.hpp"
#include "support/storage/held_env.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

/// Returns options for transactions of about ten small writes.
BulkWriterOptions small_transactions(std::size_t in_flight = 2)
{
    BulkWriterOptions options;
    options.transaction_bytes = 700;
    options.in_flight = in_flight;
    return options;
}

std::string key_of(int i)
{
    return "k" + std::to_string(100000 + i);
}

Task put_numbers(BulkWriter& writer, int first, int end)
{
    for (int i = first; i < end; ++i) {
        co_await writer.put("b", key_of(i), std::to_string(i));
    }
}

Task flush(BulkWriter& writer)
{
    co_await writer.flush();
}

asio::awaitable<std::map<std::string, std::string>> contents(Database db)
{
    co_return co_await db.view([](const Snapshot& snapshot) {
        std::map<std::string, std::string> found;
        for (const auto [key, value] : snapshot.btree("b").scan()) {
            found.emplace(key, value);
        }
        return found;
    });
}

std::map<std::string, std::string> numbers(int end)
{
    std::map<std::string, std::string> expected;
    for (int i = 0; i < end; ++i) {
        expected.emplace(key_of(i), std::to_string(i));
    }
    return expected;
}

Options buffered(Options options)
{
    options.durability = Durability::buffered;
    return options;
}

}  // namespace

// `BulkWriter`: its commits, its limits and its errors.
BOOST_FIXTURE_TEST_SUITE(test_bulk_writer, EventLoop)

BOOST_AUTO_TEST_CASE(writes_become_commits_in_their_order)
{
    run([]() -> Task {
        for (const Options& options : {watched_options(), buffered(watched_options())}) {
            for (const std::size_t in_flight : {1, 2, 5}) {
                Database db = co_await open_with(options, "b");
                BulkWriter writer = db.bulk_writer(small_transactions(in_flight));
                co_await put_numbers(writer, 0, 1000);
                const Revision revision = co_await writer.flush();
                BOOST_TEST(revision == db.head_revision());
                BOOST_TEST(writer.committed() == 1000U);
                BOOST_TEST(co_await contents(db) == numbers(1000));
                // One transaction for about ten writes, and no small ones in between.
                BOOST_TEST(revision >= 80U);
                BOOST_TEST(revision <= 112U);
                const auto lines = co_await history_of(db, "b", all(), From::revision(2));
                BOOST_TEST_REQUIRE(lines.size() == 1000U);
                for (int i = 0; i < 1000; ++i) {
                    BOOST_TEST(lines[i].ends_with("put " + key_of(i) + "=" + std::to_string(i)));
                }
                co_await db.close();
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(puts_erases_and_buckets_mix)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        BulkWriterOptions options = small_transactions();
        options.origin = "loader";
        BulkWriter writer = db.bulk_writer(options);
        for (int i = 0; i < 100; ++i) {
            co_await writer.put(i % 2 == 0 ? "b" : "c", "k", std::to_string(i));
            co_await writer.put("b", "t" + std::to_string(i), "");
            co_await writer.erase("b", "t" + std::to_string(i / 2));
            co_await writer.erase("b", "absent");
        }
        std::string origin;
        Watcher watcher =
            db.watch("c", all(), [&](const Message& message) { origin = message.origin; });
        const Run running = co_await start(watcher);
        const Revision revision = co_await writer.flush();
        BOOST_TEST(writer.committed() == 400U);
        BOOST_TEST(co_await get(db, "b", "k") == "98");
        BOOST_TEST(co_await get(db, "c", "k") == "99");
        BOOST_TEST(co_await get(db, "b", "t50") == "");
        BOOST_TEST(co_await get(db, "b", "t49") == std::nullopt);
        co_await watcher.reached(revision);
        BOOST_TEST(origin == "loader");
        co_await db.close();
        co_await running.end();
    });
}

BOOST_AUTO_TEST_CASE(an_empty_flush_returns_the_last_revision)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer();
        BOOST_TEST(co_await writer.flush() == 0U);
        co_await writer.put("b", "k", "1");
        BOOST_TEST(writer.committed() == 0U);
        BOOST_TEST(co_await writer.flush() == 2U);
        BOOST_TEST(co_await writer.flush() == 2U);
        BOOST_TEST(writer.committed() == 1U);
        co_await db.close();
    });
}

// While the disk is blocked, the bulk writer gathers as many transactions as may be in flight, and
// one more.
BOOST_AUTO_TEST_CASE(a_bulk_writer_waits_when_enough_is_in_flight)
{
    run([this]() -> Task {
        for (const std::size_t in_flight : {1, 2, 5}) {
            HeldEnv env;
            Database db(DatabaseState::open_blocking(executor(), watched_options(), &env));
            co_await create(db, "b");
            BulkWriter writer = db.bulk_writer(small_transactions(in_flight));
            std::size_t puts = 0;
            const auto load = [&]() -> Task {
                for (; puts < 1000; ++puts) {
                    co_await writer.put("b", key_of(static_cast<int>(puts)), "v");
                }
            };
            env.hold();
            const Job loading = co_await spawn(load());
            // Ten writes of 71 bytes are a transaction; the last put waits.
            co_await until([&] { return puts + 1 == (in_flight + 1) * 10; });
            for (int turns = 0; turns < 100; ++turns) {
                co_await yield();
            }
            BOOST_TEST(puts + 1 == (in_flight + 1) * 10);
            BOOST_TEST(writer.committed() == 0U);
            env.release();
            co_await loading.join();
            co_await writer.flush();
            BOOST_TEST(writer.committed() == 1000U);
            co_await db.close();
        }
    });
}

// The outcome of the failed transaction is unknown; everything before it is stored.
BOOST_AUTO_TEST_CASE(a_failed_write_stops_a_bulk_writer)
{
    run([this]() -> Task {
        HeldEnv env;
        Database db(DatabaseState::open_blocking(executor(), watched_options(), &env));
        co_await create(db, "b");
        BulkWriter writer = db.bulk_writer(small_transactions());
        co_await put_numbers(writer, 0, 10);
        co_await writer.flush();
        env.fail_syncs();
        BOOST_TEST(co_await failure_of(put_numbers(writer, 10, 100)) ==
                   code(Error::storage_failed));
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::storage_failed));
        BOOST_TEST(writer.committed() == 10U);
        co_await writer.put("b", "k", "v");
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::storage_failed));
        co_await db.close();
    });
}

// The first error stops the bulk writer: the writes before it are stored, none after it is.
BOOST_AUTO_TEST_CASE(an_error_leaves_a_prefix)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer(small_transactions());
        co_await put_numbers(writer, 0, 45);
        co_await writer.put("missing", "k", "v");
        // One of these puts reports the error; none of them may be stored.
        BOOST_TEST(co_await failure_of(put_numbers(writer, 45, 100000)) ==
                   code(Error::bucket_not_found));
        BOOST_TEST(co_await failure_of(put_numbers(writer, 0, 1)) == code(Error::bucket_not_found));
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::bucket_not_found));
        const int committed = static_cast<int>(writer.committed());
        BOOST_TEST(committed <= 45);
        BOOST_TEST(committed >= 30);
        BOOST_TEST(co_await contents(db) == numbers(committed));
        // The bulk writer can be used again, beginning after what is stored.
        co_await put_numbers(writer, committed, 60);
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 60U);
        BOOST_TEST(co_await contents(db) == numbers(60));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_error_of_the_last_transaction_comes_with_flush)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer();
        co_await writer.put("b", "k", "1");
        co_await writer.put("missing", "k", "1");
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::bucket_not_found));
        BOOST_TEST(writer.committed() == 0U);
        BOOST_TEST(co_await get(db, "b", "k") == std::nullopt);
        BOOST_TEST(co_await writer.flush() == 0U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(misuse_is_reported_at_once)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_transaction_bytes = 10'000;
        Database db = co_await open_with(options, "b");
        BulkWriter writer = db.bulk_writer();
        const auto put_one = [&writer](std::string bucket, std::string key,
                                       std::string value) -> Task {
            co_await writer.put(bucket, key, value);
        };
        const std::string long_name(65536, 'n');
        BOOST_TEST(co_await failure_of(put_one("b", "", "v")) == code(Error::empty_key));
        BOOST_TEST(co_await failure_of(put_one("", "k", "v")) == code(Error::invalid_name));
        BOOST_TEST(co_await failure_of(put_one(long_name, "k", "v")) == code(Error::invalid_name));
        BOOST_TEST(co_await failure_of(put_one("b", "k", std::string(10'000, 'v'))) ==
                   code(Error::transaction_too_large));
        co_await put_one("b", "k", "v");
        BOOST_TEST(co_await writer.flush() == 2U);
        // Only the message makes it too large.
        co_await put_one("b", "k", std::string(6'000, 'v'));
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::transaction_too_large));
        BulkWriterOptions none;
        none.transaction_bytes = 0;
        BOOST_TEST(failure_of([&] { db.bulk_writer(none); }) == code(Error::invalid_option));
        none = BulkWriterOptions();
        none.in_flight = 0;
        BOOST_TEST(failure_of([&] { db.bulk_writer(none); }) == code(Error::invalid_option));
        BulkWriter other = std::move(writer);
        BOOST_TEST(co_await failure_of(put_one("b", "k", "v")) == code(Error::bulk_writer_in_use));
        co_await db.close();
        BOOST_TEST(failure_of([&] { db.bulk_writer(); }) == code(Error::closed));
        BOOST_TEST(failure_of([&] { Database().bulk_writer(); }) == code(Error::closed));
        co_await other.put("b", "k", "v");
        BOOST_TEST(co_await failure_of(flush(other)) == code(Error::closed));
    });
}

// Writes that fit one by one can be loaded, however small the largest transaction is.
BOOST_AUTO_TEST_CASE(transactions_keep_below_their_limit)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_transaction_bytes = 10'000;
        Database db = co_await open_with(options, "b");
        BulkWriter writer = db.bulk_writer();
        for (int i = 0; i < 60; ++i) {
            co_await writer.put("b", key_of(i), std::string(i % 3 == 0 ? 4'000 : 300, 'v'));
        }
        for (int i = 0; i < 60; ++i) {
            co_await writer.erase("b", key_of(i));
        }
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 120U);
        BOOST_TEST((co_await contents(db)).empty());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(one_call_at_a_time)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer();
        co_await put_numbers(writer, 0, 5);
        const Job flushing = co_await spawn(flush(writer));
        BOOST_TEST(!flushing.done());
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::bulk_writer_in_use));
        BOOST_TEST(co_await failure_of(put_numbers(writer, 0, 1)) ==
                   code(Error::bulk_writer_in_use));
        BOOST_TEST(failure_of([&] { writer.cancel(); }) == code(Error::bulk_writer_in_use));
        co_await flushing.join();
        co_await put_numbers(writer, 5, 6);
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 6U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_flush_can_be_called_again)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer(small_transactions());
        co_await put_numbers(writer, 0, 25);
        const Job flushing = co_await spawn(flush(writer));
        flushing.cancel();
        BOOST_TEST(co_await failure_of(flushing.join()) == asio::error::operation_aborted);
        co_await put_numbers(writer, 25, 50);
        co_await writer.flush();
        BOOST_TEST(writer.committed() == 50U);
        BOOST_TEST(co_await contents(db) == numbers(50));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(what_is_cancelled_is_not_written)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BulkWriter writer = db.bulk_writer(small_transactions(5));
        co_await put_numbers(writer, 0, 35);
        writer.cancel();
        co_await writer.flush();
        const int committed = static_cast<int>(writer.committed());
        BOOST_TEST(committed < 35);
        BOOST_TEST(co_await contents(db) == numbers(committed));
        co_await writer.put("missing", "k", "v");
        BOOST_TEST(co_await failure_of(flush(writer)) == code(Error::bucket_not_found));
        co_await put_numbers(writer, committed, 40);
        co_await writer.flush();
        BOOST_TEST(co_await contents(db) == numbers(40));
        co_await db.close();
    });
}

// The destruction of a bulk writer discards what is not being committed; closing waits for the
// rest.
BOOST_AUTO_TEST_CASE(a_bulk_writer_may_be_destroyed_at_any_time)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        for (int puts = 0; puts < 60; puts += 7) {
            BulkWriter writer = db.bulk_writer(small_transactions(4));
            co_await put_numbers(writer, 0, puts);
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_event_loop_may_be_destroyed_with_a_bulk_writer)
{
    Database db = Database::open_blocking(executor(), watched_options());
    const auto load = [](Database database) -> Task {
        co_await create(database, "b");
        BulkWriter writer = database.bulk_writer(small_transactions());
        co_await put_numbers(writer, 0, 1'000'000'000);
    };
    const Job loading(executor(), load(db));
    run_until([&] { return db.head_revision() > 20; });
    db = Database();
    destroy();
    BOOST_TEST(!loading.done());
}

BOOST_AUTO_TEST_SUITE_END()
