// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

/// Opens a database with buckets "s" and "t" of sets: commits 1 and 2.
asio::awaitable<Database> open_sets(Options options)
{
    Database db = co_await open_database(std::move(options));
    co_await create(db, "s", Structure::set);
    co_await create(db, "t", Structure::set);
    co_return db;
}

/// Returns the members, each followed by a space.
asio::awaitable<std::string> members(Database db, std::string bucket, std::string key)
{
    std::string members;
    co_await db.view([&](const Snapshot& snapshot) {
        for (const std::string_view each : snapshot.set(bucket).members(key)) {
            members += std::string(each) + ' ';
        }
    });
    co_return members;
}

asio::awaitable<Strings> messages(Database db, std::string bucket)
{
    co_return co_await history_of(db, bucket, all(), From::revision(3));
}

Task fill(Database db)
{
    co_await db.update([](Transaction& tx) {
        tx.set("s").add("k", {"a", "b", "c"});
        tx.set("t").add("k", "b");
    });
}

}  // namespace

// The messages that a consumer receives for sets, and what members may contain.
BOOST_FIXTURE_TEST_SUITE(test_set_messages, EventLoop)

// W1
BOOST_AUTO_TEST_CASE(each_member_that_changes_is_one_message_in_order)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await db.update([](Transaction& tx) {
            Set set = tx.set("s");
            set.add("k", {"b", "a", "b"});
            set.add("k", "a");
            set.remove("k", "x");
            set.remove("k", {"b", "b"});
            set.add("k", "c");
            set.pop("k");
        });
        const Strings expected{"3.0 add k=b", "3.1 add k=a", "3.2 remove k=b", "3.3 add k=c",
                               "3.4 remove k=a"};
        BOOST_TEST(co_await messages(db, "s") == expected);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_operation_that_changes_nothing_makes_no_commit)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        const Revision before = db.head_revision();
        co_await db.update([](Transaction& tx) {
            Set set = tx.set("s");
            Set other = tx.set("t");
            set.add("k", "a");
            set.add("new", Strings{});
            set.remove("k", {"x", "y"});
            set.remove("none", "a");
            set.pop("none");
            set.move("k", "k", "a");
            set.move("k", "new", "x");
            set.move("none", other, "k", "a");
            set.erase("none");
        });
        BOOST_TEST(db.head_revision() == before);
        co_await db.close();
    });
}

// W4
BOOST_AUTO_TEST_CASE(a_move_is_a_removal_and_an_addition_in_one_commit)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        co_await db.update([](Transaction& tx) {
            Set target = tx.set("t");
            tx.set("s").move("k", target, "k", "a");
            tx.set("s").move("k", target, "k", "b");  // which is already there
            tx.set("s").move("k", "other", "c");
        });
        const Strings from{"3.0 add k=a",    "3.1 add k=b",    "3.2 add k=c",    "4.0 remove k=a",
                           "4.2 remove k=b", "4.3 remove k=c", "4.4 add other=c"};
        BOOST_TEST(co_await messages(db, "s") == from);
        const Strings to{"3.3 add k=b", "4.1 add k=a"};
        BOOST_TEST(co_await messages(db, "t") == to);
        co_await db.close();
    });
}

// W5
BOOST_AUTO_TEST_CASE(a_move_in_a_failed_transaction_is_undone_on_both_sides)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        const auto moving = [](Transaction& tx) {
            Set target = tx.set("t");
            BOOST_TEST(tx.set("s").move("k", target, "k", "a"));
            BOOST_TEST(tx.set("s").move("k", "other", "b"));
            BOOST_TEST(target.contains("k", "a"));
            throw std::out_of_range("on purpose");
        };
        BOOST_CHECK_THROW(co_await db.update(moving), std::out_of_range);
        BOOST_TEST(co_await members(db, "s", "k") == "a b c ");
        BOOST_TEST((co_await members(db, "s", "other")).empty());
        BOOST_TEST(co_await members(db, "t", "k") == "b ");
        BOOST_TEST((co_await messages(db, "s")).size() == 3U);
        BOOST_TEST((co_await messages(db, "t")).size() == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_move_survives_a_reopen)
{
    run([]() -> Task {
        const TemporaryDirectory directory;
        const Options options = watched_options(directory / "db");
        Database db = co_await open_sets(options);
        co_await fill(db);
        co_await db.update([](Transaction& tx) {
            Set target = tx.set("t");
            tx.set("s").move("k", target, "k", "a");
            tx.set("s").move("k", "other", "c");
        });
        co_await db.close();
        db = co_await open_database(options);
        BOOST_TEST(co_await members(db, "s", "k") == "b ");
        BOOST_TEST(co_await members(db, "s", "other") == "c ");
        BOOST_TEST(co_await members(db, "t", "k") == "a b ");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(members_can_be_read_after_a_move_across_buckets)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        co_await db.update([](Transaction& tx) {
            Set target = tx.set("t");
            tx.set("s").move("k", target, "new", "c");
            BOOST_TEST(target.members("new").to_vector() == Strings{"c"});
            BOOST_TEST(target.size("new") == 1U);
        });
        BOOST_TEST(co_await members(db, "t", "new") == "c ");
        const auto popped =
            co_await db.update([](Transaction& tx) { BOOST_TEST(tx.set("t").pop("new") == "c"); });
        BOOST_TEST(popped == db.head_revision());
        co_await db.close();
    });
}

// A store of this kind distinguishes members by a hash of 32 bits, FNV-1a. Each of these pairs has
// equal hashes.
BOOST_AUTO_TEST_CASE(members_with_the_same_hash_are_two_members)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await db.update([](Transaction& tx) {
            Set set = tx.set("s");
            BOOST_TEST(set.add("k", "declinate"));
            BOOST_TEST(!set.contains("k", "macallums"));
            BOOST_TEST(set.add("k", "macallums"));
            BOOST_TEST(set.add("k", {"altarage", "zinke"}) == 2U);
        });
        BOOST_TEST(co_await members(db, "s", "k") == "altarage declinate macallums zinke ");
        co_await db.update([](Transaction& tx) { tx.set("s").remove("k", "macallums"); });
        BOOST_TEST(co_await members(db, "s", "k") == "altarage declinate zinke ");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(pops_in_one_transaction_return_different_members)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        co_await db.update([](Transaction& tx) {
            Set set = tx.set("s");
            BOOST_TEST(set.pop("k") == "a");
            BOOST_TEST(set.pop("k") == "b");
            BOOST_TEST(set.size("k") == 1U);
        });
        BOOST_TEST(co_await members(db, "s", "k") == "c ");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(writing_to_an_expired_set_first_reports_its_expiry)
{
    run([]() -> Task {
        Time now{1000s};
        Options options = watched_options();
        options.clock = [&] { return now; };
        Database db = co_await open_sets(options);
        co_await fill(db);
        co_await db.update([](Transaction& tx) { tx.set("s").set_ttl("k", 1s); });
        now += 1s;
        co_await db.update([](Transaction& tx) {
            Set source = tx.set("t");
            Set target = tx.set("s");
            source.move("k", target, "k", "b");
        });
        std::vector<OwnedMessage> seen;
        const auto take = [&](const Message& message) { seen.emplace_back(message); };
        Watcher watcher = db.watch("s", key("k"), take, watch_from(From::revision(5)));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST_REQUIRE(seen.size() == 2U);
        BOOST_TEST(seen[0]->operation == Operation::erase);
        BOOST_TEST(seen[0]->cause == Cause::expired);
        BOOST_TEST(seen[0]->count == 3U);
        BOOST_TEST(seen[1]->operation == Operation::add);
        BOOST_TEST(seen[1]->cause == Cause::user);
        BOOST_TEST(co_await members(db, "s", "k") == "b ");
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_set_of_another_transaction_is_not_moved_to)
{
    run([]() -> Task {
        Database db = co_await open_sets(watched_options());
        co_await fill(db);
        std::optional<Set> kept;
        co_await db.update([&](Transaction& tx) { kept = tx.set("t"); });
        co_await db.update([&](Transaction& tx) {
            Set set = tx.set("s");
            BOOST_TEST(failure_of([&] { set.move("k", *kept, "k", "a"); }) ==
                       code(Error::transaction_finished));
            BOOST_TEST(failure_of([&] { set.unite("k", *kept, "k").to_vector(); }) ==
                       code(Error::transaction_finished));
            BOOST_TEST(set.contains("k", "a"));
        });
        BOOST_TEST(co_await members(db, "s", "k") == "a b c ");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
