// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;

Strings names(const std::vector<Bucket>& buckets)
{
    Strings names;
    for (const Bucket& each : buckets) {
        names.push_back(each.name);
    }
    return names;
}

void check(const Snapshot& state)
{
    BOOST_TEST(names(state.buckets("user*")) == (Strings{"user", "users/1", "user"}));
    BOOST_TEST(names(state.buckets("users/?")) == Strings{"users/1"});
    BOOST_TEST(names(state.buckets("[a-t]*")) == (Strings{"log\0new"s, "log\0old"s}));
    BOOST_TEST(names(state.buckets("log\0[!n]*"s)) == Strings{"log\0old"s});
    BOOST_TEST(names(state.buckets("\\*")) == Strings{"*"});
    BOOST_TEST(names(state.buckets("*")) == names(state.buckets()));
    BOOST_TEST(state.buckets("").empty());
    BOOST_TEST(state.buckets("user?").empty());
    for (const char* pattern : {"[", "user[", "[]", "[z-a]", "\\"}) {
        BOOST_TEST(failure_of([&] { (void)state.buckets(pattern); }) ==
                   code(Error::invalid_pattern));
    }
}

}  // namespace

// Listing buckets by a pattern of their names.
BOOST_FIXTURE_TEST_SUITE(test_buckets, EventLoop)

// Some buckets are stored; one is created and one deleted by the transaction that lists them.
BOOST_AUTO_TEST_CASE(buckets_are_listed_by_a_pattern_of_their_names)
{
    run([]() -> Task {
        Database db = co_await open_with("*");
        co_await create(db, "users/1");
        co_await create(db, "user");
        co_await create(db, "user", Structure::set);
        co_await create(db, "log\0old"s);
        co_await create(db, "users/2");
        co_await db.update([](Transaction& tx) {
            tx.create_bucket(Structure::btree, "log\0new"s);
            tx.delete_bucket(Structure::btree, "users/2");
            check(tx);
        });
        co_await db.view([](const Snapshot& snapshot) { check(snapshot); });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_listed_after_the_function_has_returned)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Snapshot> kept;
        co_await db.view([&](const Snapshot& snapshot) { kept = snapshot; });
        BOOST_TEST(failure_of([&] { (void)kept->buckets("*"); }) ==
                   code(Error::transaction_finished));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
