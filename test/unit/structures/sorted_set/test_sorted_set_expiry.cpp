// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/model/sorted_set_model.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>

using namespace keywatch;
using namespace std::chrono_literals;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Scored;
using keywatch::test::Task;

namespace {

using Strings = std::vector<std::string>;

/// A bucket in a database in memory, with one sorted set that has expired, and one that has not.
/// Cases run in one transaction, so that nothing is swept in between.
struct ExpiredSet : test::EventLoop {
    test::HandClock clock;

    Strings in_transaction(std::function<void(SortedSet)> use)
    {
        Strings lines;
        run([&]() -> Task {
            Options options = test::watched_options();
            options.clock = clock.clock();
            Database db = co_await test::open_database(options);
            co_await test::create(db, "b", Structure::sorted_set);
            co_await db.update([](Transaction& tx) {
                SortedSet set = tx.sorted_set("b");
                set.add("old", {{"a", 1}, {"b", 2}, {"c", 3}});
                set.set_ttl("old", 10s);
                set.add("live", "a", 1);
            });
            clock.advance(10s);  // the next turn is this test's: nothing is swept before
            co_await db.update([&](Transaction& tx) {
                tx.set_origin("case");
                use(tx.sorted_set("b"));
            });
            const std::vector<OwnedMessage> messages = co_await test::messages_of(db, "b");
            for (const OwnedMessage& each : messages) {
                if (each->origin == "case") {
                    const std::string cause(each->cause == Cause::expired ? "expired " : "");
                    lines.push_back(cause + test::sorted_line(*each));
                }
            }
            co_await db.close();
        });
        return lines;
    }
};

}  // namespace

// Sorted sets whose deadline has passed.
BOOST_FIXTURE_TEST_SUITE(test_sorted_set_expiry, ExpiredSet)

BOOST_AUTO_TEST_CASE(no_read_shows_an_expired_set)
{
    in_transaction([](SortedSet set) {
        BOOST_TEST(!set.score("old", "a"));
        BOOST_TEST(!set.rank("old", "a"));
        BOOST_TEST(!set.reverse_rank("old", "a"));
        BOOST_TEST(!set.min("old"));
        BOOST_TEST(!set.max("old"));
        BOOST_TEST(set.count_by_score("old", {}) == 0U);
        BOOST_TEST(set.members("old").to_vector().empty());
        BOOST_TEST(set.range_by_rank("old", 0, -1).to_vector().empty());
        BOOST_TEST(set.range_by_score("old", {}, {.reverse = true}).to_vector().empty());
        BOOST_TEST(set.range_by_member("old", "").to_vector().empty());
        BOOST_TEST(set.size("old") == 0U);
        BOOST_TEST(!set.has_key("old"));
        BOOST_TEST(!set.ttl("old"));
        BOOST_TEST(set.keys().to_vector() == Strings{"live"});
    });
}

BOOST_AUTO_TEST_CASE(removals_from_an_expired_set_only_remove_the_set)
{
    const std::vector<std::function<void(SortedSet)>> ways{
        [](SortedSet set) { BOOST_TEST(!set.remove("old", "a")); },
        [](SortedSet set) { BOOST_TEST(!set.pop_min("old")); },
        [](SortedSet set) { BOOST_TEST(!set.pop_max("old")); },
        [](SortedSet set) { BOOST_TEST(set.remove_by_rank("old", 0, -1) == 0U); },
        [](SortedSet set) { BOOST_TEST(set.remove_by_score("old", {}) == 0U); },
        [](SortedSet set) { BOOST_TEST(!set.erase("old")); },
        [](SortedSet set) { BOOST_TEST(!set.set_ttl("old", 1s)); },
        [](SortedSet set) { BOOST_TEST(!set.clear_ttl("old")); },
    };
    for (const auto& way : ways) {
        BOOST_TEST(in_transaction(way) == Strings{"expired erase old "});
    }
}

BOOST_AUTO_TEST_CASE(additions_to_an_expired_set_begin_a_new_one)
{
    const Strings added = in_transaction([](SortedSet set) {
        BOOST_TEST(set.add("old", "a", 5));
        BOOST_TEST(set.size("old") == 1U);
        BOOST_TEST(!set.ttl("old"));
    });
    BOOST_TEST(added == (Strings{"expired erase old ", "add old a 5.000000"}));
    const Strings counted =
        in_transaction([](SortedSet set) { BOOST_TEST(set.increment("old", "c", 1) == 1); });
    BOOST_TEST(counted == (Strings{"expired erase old ", "add old c 1.000000"}));
}

BOOST_AUTO_TEST_CASE(a_refused_operation_does_not_even_remove_an_expired_set)
{
    const Strings lines = in_transaction([](SortedSet set) {
        const double no_number = std::numeric_limits<double>::quiet_NaN();
        const auto refused = [](const std::function<void()>& call) {
            return failure_of(call) == code(Error::invalid_score);
        };
        BOOST_TEST(refused([&] { set.increment("old", "a", no_number); }));
        BOOST_TEST(refused([&] { set.add("old", {{"a", 1}, {"b", no_number}}); }));
        BOOST_TEST(refused([&] { set.remove_by_score("old", {.max = no_number}); }));
    });
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_SUITE_END()
