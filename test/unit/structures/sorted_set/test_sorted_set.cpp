// SPDX-License-Identifier: BSL-1.0
#include "support/model/sorted_set_model.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

using namespace keywatch;
using namespace std::string_literals;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Scored;
using keywatch::test::Task;

namespace {

using Members = std::vector<Scored>;
using Strings = std::vector<std::string>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double denormal = std::numeric_limits<double>::denorm_min();

/// A bucket in a database in memory. Cases run in one transaction, where all contents are visible.
struct OneBucket : test::EventLoop {
    Strings in_transaction(std::function<void(SortedSet)> check)
    {
        Strings lines;
        run([&]() -> Task {
            Database db = co_await test::open_database(test::watched_options());
            co_await test::create(db, "b", Structure::sorted_set);
            co_await db.update([&](Transaction& tx) { check(tx.sorted_set("b")); });
            const std::vector<OwnedMessage> messages = co_await test::messages_of(db, "b");
            for (std::size_t i = 1; i < messages.size(); ++i) {
                lines.push_back(test::sorted_line(*messages[i]));
            }
            co_await db.close();
        });
        return lines;
    }
};

std::string names(Range<ScoredMember> range)
{
    std::string names;
    for (const auto [member, score] : range) {
        names += std::string(member) + ' ';
    }
    return names;
}

}  // namespace

// The structure `sorted_set`: its operations, results and messages.
BOOST_FIXTURE_TEST_SUITE(test_sorted_set, OneBucket)

BOOST_AUTO_TEST_CASE(members_stand_in_the_order_of_scores_then_of_bytes)
{
    in_transaction([](SortedSet set) {
        const std::uint64_t added = set.add("k", {{"one", 1},
                                                  {"minus", -1},
                                                  {"half", 0.5},
                                                  {"tie b", 2},
                                                  {"tie a", 2},
                                                  {"tie aa", 2},
                                                  {"last", infinity},
                                                  {"first", -infinity},
                                                  {"tiny", denormal},
                                                  {"nil", 0},
                                                  {"-tiny", -denormal}});
        BOOST_TEST(added == 11U);
        BOOST_TEST(names(set.members("k")) ==
                   "first minus -tiny nil tiny half one tie a tie aa tie b last ");
        BOOST_TEST(set.score("k", "tiny").value() == denormal);
        BOOST_TEST(set.score("k", "first").value() == -infinity);
        BOOST_TEST(set.max("k") == Scored("last", infinity));
        BOOST_TEST(set.min("k") == Scored("first", -infinity));
        BOOST_TEST(set.rank("k", "tie aa").value() == 8U);
        BOOST_TEST(set.reverse_rank("k", "tie aa").value() == 2U);
        BOOST_TEST(!set.rank("k", "none"));
        BOOST_TEST(set.size("k") == 11U);
    });
}

BOOST_AUTO_TEST_CASE(minus_zero_is_zero)
{
    const Strings lines = in_transaction([](SortedSet set) {
        BOOST_TEST(set.add("k", "b", -0.0));
        BOOST_TEST(set.add("k", "a", 0.0));
        BOOST_TEST(!set.add("k", "b", 0.0));
        BOOST_TEST(names(set.members("k")) == "a b ");
        BOOST_TEST(!std::signbit(set.score("k", "b").value()));
        BOOST_TEST(!std::signbit(set.members("k").to_vector().back().second));
        BOOST_TEST(set.count_by_score("k", {.min = -0.0, .max = -0.0}) == 2U);
        BOOST_TEST(!std::signbit(set.increment("k", "c", -0.0)));
    });
    BOOST_TEST(lines == (Strings{"add k b 0.000000", "add k a 0.000000", "add k c 0.000000"}));
}

BOOST_AUTO_TEST_CASE(members_are_any_bytes)
{
    in_transaction([](SortedSet set) {
        const Strings members{""s,         "\0"s,     "\0\0"s,     std::string(70'000, 'l'),
                              "\xff"s,     "\xff\0"s, "\xff\xff"s, std::string(40, '\xff'),
                              "s\xff\xff"s};
        for (const double score : {infinity, -infinity, 1.0}) {
            for (const std::string& each : members) {
                set.add("k\xff"s, each, score);
            }
            Members expected;
            for (const std::string& each : members) {
                expected.emplace_back(each, score);
                BOOST_TEST(set.score("k\xff"s, each) == score);
            }
            std::ranges::sort(expected);
            BOOST_TEST(set.members("k\xff"s).to_vector() == expected);
            BOOST_TEST(set.range_by_member("k\xff"s).to_vector() == expected);
            BOOST_TEST(set.max("k\xff"s) == expected.back());
            BOOST_TEST(set.min("k\xff"s) == expected.front());
        }
    });
}

BOOST_AUTO_TEST_CASE(a_score_that_is_no_number_is_refused_and_changes_nothing)
{
    const Strings lines = in_transaction([](SortedSet set) {
        const auto refused = [](const std::function<void()>& call) {
            return failure_of(call) == code(Error::invalid_score);
        };
        BOOST_TEST(refused([&] { set.add("k", "m", no_number); }));
        BOOST_TEST(refused([&] { set.add("k", {{"a", 1}, {"b", no_number}}); }));
        BOOST_TEST(refused([&] { set.increment("k", "m", no_number); }));
        BOOST_TEST(refused([&] { (void)set.count_by_score("k", {.min = no_number}); }));
        BOOST_TEST(refused([&] { (void)set.range_by_score("k", {.max = no_number}); }));
        BOOST_TEST(refused([&] { set.remove_by_score("k", {.max = no_number}); }));
        BOOST_TEST(!set.has_key("k"));
        set.add("k", "m", infinity);
        BOOST_TEST(refused([&] { set.increment("k", "m", -infinity); }));
        BOOST_TEST(set.score("k", "m").value() == infinity);
    });
    BOOST_TEST(lines == Strings{"add k m inf"});
}

BOOST_AUTO_TEST_CASE(messages_contain_the_scores_and_exist_only_for_changes)
{
    const Strings lines = in_transaction([](SortedSet set) {
        BOOST_TEST(set.add("k", "a", 1));
        BOOST_TEST(!set.add("k", "a", 1));
        BOOST_TEST(!set.add("k", "a", 2));
        BOOST_TEST(set.increment("k", "a", 0) == 2);
        BOOST_TEST(set.increment("k", "a", 0.5) == 2.5);
        BOOST_TEST(set.increment("k", "b", 3) == 3);
        BOOST_TEST(set.add("k", {{"c", 4}, {"b", 3}, {"c", 5}, {"d", 6}}) == 2U);
        BOOST_TEST(set.add("l", std::vector<Scored>{}) == 0U);
        BOOST_TEST(!set.remove("k", "none"));
        BOOST_TEST(set.remove_by_score("k", {.min = 7}) == 0U);
        BOOST_TEST(set.remove_by_rank("k", 9, 12) == 0U);
        BOOST_TEST(!set.remove("l", "a"));
        BOOST_TEST(!set.pop_min("l"));
        BOOST_TEST(!set.pop_max("l"));
        BOOST_TEST(set.remove("k", "b"));
        BOOST_TEST(set.pop_max("k") == Scored("d", 6));
        BOOST_TEST(set.pop_min("k") == Scored("a", 2.5));
        BOOST_TEST(set.remove_by_rank("k", 0, 0) == 1U);
        BOOST_TEST(!set.has_key("k"));
    });
    BOOST_TEST(
        lines ==
        (Strings{"add k a 1.000000", "rescore k a 2.000000 was 1.000000",
                 "rescore k a 2.500000 was 2.000000", "add k b 3.000000", "add k c 4.000000",
                 "rescore k c 5.000000 was 4.000000", "add k d 6.000000", "remove k b was 3.000000",
                 "remove k d was 6.000000", "remove k a was 2.500000", "remove k c was 5.000000"}));
}

BOOST_AUTO_TEST_CASE(ranges_are_removed_in_their_order)
{
    const Strings lines = in_transaction([](SortedSet set) {
        set.add("k", {{"a", 1}, {"b", 2}, {"c", 2}, {"d", 3}, {"e", 4}});
        BOOST_TEST(set.remove_by_rank("k", -2, -1) == 2U);
        BOOST_TEST(set.remove_by_score("k", {.min = 2}) == 2U);
    });
    const Strings removed(lines.begin() + 5, lines.end());
    BOOST_TEST(removed == (Strings{"remove k d was 3.000000", "remove k e was 4.000000",
                                   "remove k b was 2.000000", "remove k c was 2.000000"}));
}

BOOST_AUTO_TEST_CASE(ranges_are_by_rank_score_and_member)
{
    in_transaction([](SortedSet set) {
        set.add("k", {{"a", 1}, {"b", 2}, {"c", 2}, {"d", 3}, {"e", 4}});
        BOOST_TEST(names(set.range_by_rank("k", 1, 2)) == "b c ");
        BOOST_TEST(names(set.range_by_rank("k", -2, -1)) == "d e ");
        BOOST_TEST(names(set.range_by_rank("k", -9, 0)) == "a ");
        BOOST_TEST(names(set.range_by_rank("k", 3, 99)) == "d e ");
        BOOST_TEST(names(set.range_by_rank("k", 3, 2)) == "");
        BOOST_TEST(names(set.range_by_rank("k", 5, 9)) == "");
        BOOST_TEST(names(set.range_by_rank("k", -9, -6)) == "");
        BOOST_TEST(names(set.range_by_score("k", {.min = 2, .max = 3})) == "b c d ");
        BOOST_TEST(names(set.range_by_score("k", {.min = 2, .max = 3, .exclude_min = true})) ==
                   "d ");
        BOOST_TEST(names(set.range_by_score("k", {.min = 2, .max = 3, .exclude_max = true})) ==
                   "b c ");
        BOOST_TEST(names(set.range_by_score("k", {.min = 3, .max = 2})) == "");
        BOOST_TEST(names(set.range_by_score("k", {}, {.limit = 3, .reverse = true})) == "e d c ");
        BOOST_TEST(names(set.range_by_score("k", {.max = 3}, {.offset = 1, .reverse = true})) ==
                   "c b a ");
        BOOST_TEST(names(set.range_by_score("k", {}, {.offset = 1, .limit = 2})) == "b c ");
        BOOST_TEST(names(set.range_by_score("k", {}, {.limit = 0})) == "");
        BOOST_TEST(names(set.range_by_score("k", {}, {.offset = 500})) == "");
        BOOST_TEST(names(set.range_by_member("k", "b", "d")) == "b c ");
        BOOST_TEST(names(set.range_by_member("k", "b", "d", {.reverse = true})) == "c b ");
        BOOST_TEST(names(set.range_by_member("k", "d")) == "d e ");
        BOOST_TEST(names(set.range_by_member("k", "", "b")) == "a ");
        BOOST_TEST(names(set.range_by_member("k", "d", "b")) == "");
        BOOST_TEST(names(set.range_by_member("none")) == "");
        BOOST_TEST(set.count_by_score("k", {.min = 2, .max = 2}) == 2U);
        BOOST_TEST(set.count_by_score("k", {.min = 3, .max = 2}) == 0U);
        BOOST_TEST(set.count_by_score("k", {}) == 5U);
        BOOST_TEST(set.count_by_score("none", {}) == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_restarted_range_sees_changes)
{
    in_transaction([](SortedSet set) {
        Range<ScoredMember> range = set.members("k");
        BOOST_TEST(names(range) == "");
        set.add("k", {{"a", 1}, {"b", 2}});
        BOOST_TEST(names(range) == "a b ");
        set.erase("k");
        BOOST_TEST(names(range) == "");
    });
}

BOOST_AUTO_TEST_CASE(members_are_added_from_any_range)
{
    in_transaction([](SortedSet set) {
        const std::map<std::string, float> from_map{{"a", 2.0F}, {"b", 1.0F}};
        BOOST_TEST(set.add("k", from_map) == 2U);
        BOOST_TEST(set.add("copy", set.members("k")) == 2U);
        BOOST_TEST(names(set.members("copy")) == "b a ");
        BOOST_TEST(set.add("k", set.members("copy")) == 0U);
    });
}

BOOST_AUTO_TEST_CASE(an_empty_key_takes_no_members)
{
    in_transaction([](SortedSet set) {
        BOOST_TEST(failure_of([&] { set.add("", "m", 1); }) == code(Error::empty_key));
        BOOST_TEST(failure_of([&] { set.increment("", "m", 1); }) == code(Error::empty_key));
        BOOST_TEST(!set.remove("", "m"));
        BOOST_TEST(!set.pop_min(""));
        BOOST_TEST(!set.score("", "m"));
    });
}

BOOST_AUTO_TEST_CASE(popping_twice_in_one_transaction_returns_different_members)
{
    in_transaction([](SortedSet set) {
        set.add("k", {{"a", 1}, {"b", 1}, {"c", 2}, {"d", 3}});
        BOOST_TEST(set.pop_min("k") == Scored("a", 1));
        BOOST_TEST(set.pop_min("k") == Scored("b", 1));
        BOOST_TEST(set.pop_max("k") == Scored("d", 3));
        BOOST_TEST(set.pop_max("k") == Scored("c", 2));
        BOOST_TEST(!set.pop_max("k"));
        BOOST_TEST(!set.has_key("k"));
    });
}

// FNV-1a of 32 bits yields 0x5e4daa9d for both.
BOOST_AUTO_TEST_CASE(members_whose_hashes_collide_are_both_kept)
{
    in_transaction([](SortedSet set) {
        BOOST_TEST(set.add("k", "costarring", 1));
        BOOST_TEST(set.add("k", "liquid", 2));
        BOOST_TEST(set.score("k", "costarring").value() == 1);
        BOOST_TEST(set.score("k", "liquid").value() == 2);
        BOOST_TEST(set.remove("k", "costarring"));
        BOOST_TEST(names(set.members("k")) == "liquid ");
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_that_threw_has_no_effect)
{
    run([]() -> Task {
        Database db = co_await test::open_database(test::watched_options());
        co_await test::create(db, "b", Structure::sorted_set);
        co_await db.update(
            [](Transaction& tx) { tx.sorted_set("b").add("k", {{"a", 1}, {"b", 2}, {"c", 3}}); });
        const auto fails = [](Transaction& tx) {
            SortedSet set = tx.sorted_set("b");
            set.pop_min("k");
            set.add("k", "b", 9);
            set.add("new", "m", 1);
            set.remove_by_rank("k", 0, -1);
            throw std::out_of_range("on purpose");
        };
        bool threw = false;
        try {
            co_await db.update(fails);
        } catch (const std::out_of_range&) {
            threw = true;
        }
        BOOST_TEST(threw);
        co_await db.view([](const Snapshot& snapshot) {
            const SortedSetView set = snapshot.sorted_set("b");
            BOOST_TEST(set.members("k").to_vector() == (Members{{"a", 1}, {"b", 2}, {"c", 3}}));
            BOOST_TEST(!set.has_key("new"));
            BOOST_TEST(set.rank("k", "c").value() == 2U);
        });
        const std::vector<OwnedMessage> messages = co_await test::messages_of(db, "b");
        BOOST_TEST(messages.size() == 4U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_operation_without_effect_is_no_commit)
{
    run([]() -> Task {
        Database db = co_await test::open_database(test::watched_options());
        co_await test::create(db, "b", Structure::sorted_set);
        co_await db.update([](Transaction& tx) {
            SortedSet set = tx.sorted_set("b");
            for (int i = 0; i < 100; ++i) {
                set.add("k", "m" + std::to_string(i), i);
            }
            set.remove_by_score("k", {.max = 10});
            set.remove("k", "m99");
        });
        const Revision before = db.head_revision();
        co_await db.update([](Transaction& tx) {
            SortedSet set = tx.sorted_set("b");
            set.add("k", {{"m50", 50}, {"m51", 51}});
            set.increment("k", "m50", 0);
            set.increment("k", "m50", 1e-300);
            set.remove("k", "m99");
            set.remove_by_score("k", {.max = 10});
            set.remove_by_rank("k", 500, 600);
            set.pop_min("none");
            set.pop_max("none");
        });
        BOOST_TEST(db.head_revision() == before);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
