// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string_view>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;

template <class T>
Task ignore(asio::awaitable<T> operation)
{
    (void)co_await std::move(operation);
}

}  // namespace

// Operations that are transactions of their own: get, put, erase and increment of a database.
BOOST_FIXTURE_TEST_SUITE(test_shortcuts, EventLoop)

BOOST_AUTO_TEST_CASE(each_is_one_transaction_and_returns_its_result)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BOOST_TEST(co_await db.get("b", "k") == std::nullopt);
        BOOST_TEST(co_await db.put("b", "k", "old") == 2U);
        BOOST_TEST(co_await db.get("b", "k") == "old");
        const Committed<bool> erased = co_await db.erase("b", "k");
        BOOST_TEST(erased.revision == 3U);
        BOOST_TEST(erased.value);
        const Committed<bool> absent = co_await db.erase("b", "k");
        BOOST_TEST(absent.revision == 3U);
        BOOST_TEST(!absent.value);
        const Committed<std::int64_t> one = co_await db.increment("b", "n");
        BOOST_TEST(one.revision == 4U);
        BOOST_TEST(one.value == 1);
        const Committed<std::int64_t> less = co_await db.increment("b", "n", -3);
        BOOST_TEST(less.value == -2);
        const Committed<std::int64_t> same = co_await db.increment("b", "n", 0);
        BOOST_TEST(same.revision == 5U);
        BOOST_TEST(same.value == -2);
        const Strings lines = co_await history_of(db, "b", all(), From::revision(2));
        BOOST_TEST(lines ==
                   (Strings{"2.0 put k=old", "3.0 erase k=", "4.0 put n=1", "5.0 put n=-2"}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(names_keys_and_values_are_any_bytes)
{
    run([]() -> Task {
        const std::string bytes = "\0a\xff"s;
        Database db = co_await open_with(bytes);
        co_await db.put(bytes, bytes, bytes);
        BOOST_TEST(co_await db.get(bytes, bytes) == bytes);
        co_await db.put(bytes, bytes, "");
        BOOST_TEST(co_await db.get(bytes, bytes) == "");
        const std::string huge(1'000'000, 'h');
        co_await db.put(bytes, huge, huge);
        BOOST_TEST(co_await db.get(bytes, huge) == huge);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_the_transaction)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_transaction_bytes = 1000;
        Database db = co_await open_with(options, "b");
        co_await db.put("b", "text", "x");
        co_await db.put("b", "most", std::to_string(std::numeric_limits<std::int64_t>::max()));
        const Revision before = db.head_revision();
        const auto error_of = [](auto operation) {
            return failure_of(ignore(std::move(operation)));
        };
        const auto missing = code(Error::bucket_not_found);
        BOOST_TEST(co_await error_of(db.get("none", "k")) == missing);
        BOOST_TEST(co_await error_of(db.put("none", "k", "v")) == missing);
        BOOST_TEST(co_await error_of(db.erase("none", "k")) == missing);
        BOOST_TEST(co_await error_of(db.increment("none", "k")) == missing);
        BOOST_TEST(co_await error_of(db.put("b", "", "v")) == code(Error::empty_key));
        BOOST_TEST(co_await error_of(db.increment("b", "")) == code(Error::empty_key));
        BOOST_TEST(co_await db.get("b", "") == std::nullopt);
        BOOST_TEST(!(co_await db.erase("b", "")).value);
        BOOST_TEST(co_await error_of(db.increment("b", "text")) == code(Error::not_a_number));
        BOOST_TEST(co_await error_of(db.increment("b", "most")) == code(Error::number_overflow));
        BOOST_TEST(co_await error_of(db.put("b", "k", std::string(1000, 'v'))) ==
                   code(Error::transaction_too_large));
        BOOST_TEST(db.head_revision() == before);
        co_await db.close();
        const auto closed = code(Error::closed);
        for (Database each : {db, Database()}) {
            BOOST_TEST(co_await error_of(each.get("b", "k")) == closed);
            BOOST_TEST(co_await error_of(each.put("b", "k", "v")) == closed);
            BOOST_TEST(co_await error_of(each.erase("b", "k")) == closed);
            BOOST_TEST(co_await error_of(each.increment("b", "k")) == closed);
        }
    });
}

// The operations are called now, and awaited when the strings and the handle no longer exist.
BOOST_AUTO_TEST_CASE(arguments_need_not_outlive_the_call)
{
    run([]() -> Task {
        std::optional<Database> db = co_await open_with("a bucket with a long name");
        const Database other = *db;
        std::string bucket = "a bucket with a long name";
        std::string key = "a key that is not short either";
        std::string value = "a value of more than a few bytes";
        std::vector<Task> operations;
        operations.push_back(ignore(db->put(bucket, key, value)));
        operations.push_back(ignore(db->increment(bucket, std::string_view(value))));
        auto read = db->get(bucket, key);
        auto erase = db->erase(bucket, value);
        for (std::string* each : {&bucket, &key, &value}) {
            each->assign(each->size(), '#');
        }
        bucket.shrink_to_fit();
        db.reset();
        for (Task& each : operations) {
            co_await std::move(each);
        }
        BOOST_TEST(co_await std::move(read) == "a value of more than a few bytes");
        BOOST_TEST((co_await std::move(erase)).value);
        Database last = other;
        co_await last.close();
    });
}

// In a callback, with the views of its message.
BOOST_AUTO_TEST_CASE(a_callback_may_use_them_with_the_views_of_its_message)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "copies");
        Watcher watcher = db.watch("b", all(), [db](const Message& m) -> Task {
            Database copy = db;
            co_await copy.put("copies", m.key, m.value);
            co_await copy.increment("copies", "count");
        });
        const Run run = co_await start(watcher);
        co_await db.put("b", "k", "1");
        co_await watcher.reached(co_await db.put("b", "k2", "2"));
        BOOST_TEST(co_await db.get("copies", "k") == "1");
        BOOST_TEST(co_await db.get("copies", "k2") == "2");
        BOOST_TEST(co_await db.get("copies", "count") == "2");
        co_await db.close();
    });
}

// No concurrent increment is lost, and every number is a message.
BOOST_AUTO_TEST_CASE(concurrent_increments_add_up)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto count = [](Database database) -> Task {
            for (int i = 0; i < 10; ++i) {
                co_await database.increment("b", "n");
            }
        };
        std::vector<Job> jobs;
        for (int i = 0; i < 10; ++i) {
            jobs.push_back(co_await spawn(count(db)));
        }
        for (const Job& each : jobs) {
            co_await each.join();
        }
        BOOST_TEST(co_await db.get("b", "n") == "100");
        const Strings lines = co_await history_of(db, "b", key("n"), From::revision(1));
        BOOST_TEST_REQUIRE(lines.size() == 100U);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const std::string expected =
                std::to_string(i + 2) + ".0 put n=" + std::to_string(i + 1);
            BOOST_TEST(lines[i] == expected);
        }
        co_await db.close();
    });
}

// Same as for `update`: it can be cancelled while it waits for its turn, but not after.
BOOST_AUTO_TEST_CASE(a_cancelled_put_has_put_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::vector<Job> jobs;
        for (int i = 0; i < 2; ++i) {
            jobs.push_back(co_await spawn(ignore(db.put("b", "k" + std::to_string(i), "v"))));
        }
        jobs[0].cancel();
        jobs[1].cancel();
        int stored = 0;
        for (std::size_t i = 0; i < 2; ++i) {
            const auto error = co_await failure_of(jobs[i].join());
            const bool there = (co_await db.get("b", "k" + std::to_string(i))).has_value();
            BOOST_TEST(there == !error);
            BOOST_TEST((!error || error == asio::error::operation_aborted));
            stored += there ? 1 : 0;
        }
        BOOST_TEST(db.head_revision() == static_cast<Revision>(1 + stored));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
