// SPDX-License-Identifier: BSL-1.0
// Listing buckets by a pattern of their names.
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

namespace kw = keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;

Strings names(const std::vector<kw::Bucket>& buckets)
{
    Strings names;
    for (const kw::Bucket& each : buckets) {
        names.push_back(each.name);
    }
    return names;
}

void check(const kw::Snapshot& state)
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
                   code(kw::Error::invalid_pattern));
    }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_buckets, EventLoop)

// Some buckets are stored; one is created and one deleted by the transaction that lists them.
BOOST_AUTO_TEST_CASE(buckets_are_listed_by_a_pattern_of_their_names)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("*");
        co_await create(db, "users/1");
        co_await create(db, "user");
        co_await create(db, "user", kw::Structure::set);
        co_await create(db, "log\0old"s);
        co_await create(db, "users/2");
        co_await db.update([](kw::Transaction& tx) {
            tx.create_bucket(kw::Structure::btree, "log\0new"s);
            tx.delete_bucket(kw::Structure::btree, "users/2");
            check(tx);
        });
        co_await db.view([](const kw::Snapshot& snapshot) { check(snapshot); });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_listed_after_the_function_has_returned)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        std::optional<kw::Snapshot> kept;
        co_await db.view([&](const kw::Snapshot& snapshot) { kept = snapshot; });
        BOOST_TEST(failure_of([&] { (void)kept->buckets("*"); }) ==
                   code(kw::Error::transaction_finished));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
