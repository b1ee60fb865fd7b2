// SPDX-License-Identifier: BSL-1.0
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace keywatch;
using namespace std::string_literals;
using namespace std::chrono_literals;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Task;

namespace {

using Strings = std::vector<std::string>;
using Use = std::function<void(Set)>;

/// A bucket in a database in memory, whose clock advances only when the test moves it.
struct OneBucket : test::EventLoop {
    Time now{1000s};

    /// Runs each function in a transaction of its own.
    void in_transactions(std::vector<Use> uses)
    {
        run([&]() -> Task {
            Options options("memory:");
            options.clock = [this] { return now; };
            Database db = co_await Database::open(options);
            co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::set, "s"); });
            for (const Use& use : uses) {
                co_await db.update([&](Transaction& tx) { use(tx.set("s")); });
            }
            co_await db.close();
        });
    }
    void in_transaction(Use use) { in_transactions({std::move(use)}); }
};

/// Iterates over a range twice, which must return the same members.
Strings list(Range<std::string_view> range)
{
    Strings members = range.to_vector();
    BOOST_TEST(range.to_vector() == members);
    return members;
}

std::string numbered(int number)
{
    const std::string digits = std::to_string(number);
    return "m" + std::string(6 - digits.size(), '0') + digits;
}

Strings numbered(int first, int last, int step = 1)
{
    Strings members;
    for (int number = first; number < last; number += step) {
        members.push_back(numbered(number));
    }
    return members;
}

}  // namespace

// The structure `set`: members, ranges, and operations on several sets.
BOOST_FIXTURE_TEST_SUITE(test_set, OneBucket)

BOOST_AUTO_TEST_CASE(a_member_is_added_once_and_removed_once)
{
    in_transaction([](Set set) {
        BOOST_TEST(set.add("k", "b"));
        BOOST_TEST(!set.add("k", "b"));
        BOOST_TEST(set.add("k", "a"s));
        BOOST_TEST(set.size("k") == 2U);
        BOOST_TEST(set.contains("k", "a"));
        BOOST_TEST(!set.contains("k", "c"));
        BOOST_TEST(!set.contains("other", "a"));
        BOOST_TEST(set.remove("k", "b"));
        BOOST_TEST(!set.remove("k", "b"));
        BOOST_TEST(!set.remove("other", "a"));
        BOOST_TEST(list(set.members("k")) == Strings{"a"});
        BOOST_TEST(set.remove("k", "a"));
        BOOST_TEST(!set.has_key("k"));
        BOOST_TEST(list(set.members("k")).empty());
    });
}

BOOST_AUTO_TEST_CASE(many_members_are_passed_as_a_list_or_a_range)
{
    in_transaction([](Set set) {
        BOOST_TEST(set.add("k", {"a", "b", "a"}) == 2U);
        BOOST_TEST(set.add("k", {"a"}) == 0U);
        BOOST_TEST(set.add("k", {}) == 0U);
        BOOST_TEST(set.add("k", Strings{"b", "c"}) == 1U);
        BOOST_TEST(set.add("k", std::vector<std::string_view>{"c", "d"}) == 1U);
        BOOST_TEST(set.size("k") == 4U);
        const Strings asked{"d", "x", "d", ""};
        BOOST_TEST(set.contains_many("k", asked) == (std::vector<bool>{true, false, true, false}));
        BOOST_TEST(set.contains_many("k", {"a", "e"}) == (std::vector<bool>{true, false}));
        BOOST_TEST(set.contains_many("none", asked) == std::vector<bool>(4));
        BOOST_TEST(set.remove("k", {"a", "b", "a", "x"}) == 2U);
        BOOST_TEST(set.remove("k", asked) == 1U);
        BOOST_TEST(list(set.members("k")) == Strings{"c"});
    });
}

BOOST_AUTO_TEST_CASE(a_range_of_a_set_can_be_written_to_the_same_set)
{
    in_transaction([](Set set) {
        set.add("a", numbered(0, 100));
        set.add("b", numbered(50, 150));
        BOOST_TEST(set.add("a", set.members("b")) == 50U);
        BOOST_TEST(list(set.members("a")) == numbered(0, 150));
        BOOST_TEST(set.remove("a", set.intersection("a", "b")) == 100U);
        BOOST_TEST(list(set.members("a")) == numbered(0, 50));
        BOOST_TEST(set.remove("a", set.members("a")) == 50U);
        BOOST_TEST(!set.has_key("a"));
    });
}

BOOST_AUTO_TEST_CASE(an_addition_of_nothing_creates_no_key)
{
    in_transaction([](Set set) {
        BOOST_TEST(set.add("k", Strings{}) == 0U);
        BOOST_TEST(set.add("", Strings{}) == 0U);
        BOOST_TEST(set.remove("", "a") == false);
        BOOST_TEST(!set.pop("").has_value());
        BOOST_TEST(!set.move("k", "", "a"));
        BOOST_TEST(failure_of([&] { set.add("", "a"); }) == code(Error::empty_key));
        BOOST_TEST(failure_of([&] { set.add("", {"a"}); }) == code(Error::empty_key));
        BOOST_TEST(list(set.keys()).empty());
    });
}

BOOST_AUTO_TEST_CASE(members_are_any_bytes_and_come_in_their_order)
{
    const Strings all{"",
                      "\0"s,
                      "\0\0"s,
                      "\0\xff"s,
                      "a",
                      "a\0"s,
                      "ab",
                      std::string(70'000, 'l'),
                      "\x7f",
                      "\x80",
                      "\xfe\xff\xff",
                      "\xff",
                      "\xff\x01",
                      "\xff\xff",
                      std::string(300, '\xff')};
    const Use fill = [&](Set set) {
        set.add("k", Strings(all.rbegin(), all.rend()));
        set.add("j\xff", "not of k");
        set.add("k\0"s, "nor this");
        set.add("k\xff", "nor this");
        BOOST_TEST(list(set.members("k")) == all);
    };
    const Use look = [&](Set set) {
        BOOST_TEST(list(set.members("k")) == all);
        BOOST_TEST(list(set.members("k", "\xff")) == Strings(all.end() - 4, all.end()));
        BOOST_TEST(list(set.members("k", "a")) == (Strings{"a", "a\0"s, "ab"}));
        BOOST_TEST(list(set.members("k", "b")).empty());
        for (const std::string& member : all) {
            BOOST_TEST(set.contains("k", member));
            BOOST_TEST(!set.contains("k", member + "x"));
        }
    };
    const Use empty = [&](Set set) {
        for (const std::string& member : all) {
            BOOST_TEST(set.pop("k") == member);
        }
        BOOST_TEST(!set.pop("k").has_value());
        BOOST_TEST(list(set.keys()) == (Strings{"j\xff", "k\0"s, "k\xff"}));
    };
    in_transactions({fill, look, empty});
}

BOOST_AUTO_TEST_CASE(a_member_added_below_the_popped_ones_is_found)
{
    const Use pop_some = [](Set set) {
        set.add("k", numbered(0, 100));
        for (int number = 0; number < 50; ++number) {
            BOOST_TEST(set.pop("k") == numbered(number));
        }
    };
    const Use add_below = [](Set set) {
        BOOST_TEST(list(set.members("k")) == numbered(50, 100));
        set.add("k", {numbered(20), numbered(10), numbered(30)});
        BOOST_TEST(list(set.members("k", "m00001")) == Strings{numbered(10)});
        BOOST_TEST(set.pop("k") == numbered(10));
        BOOST_TEST(set.pop("k") == numbered(20));
        set.add("k", "");
        BOOST_TEST(set.pop("k") == "");
        BOOST_TEST(set.size("k") == 51U);
    };
    in_transactions({pop_some, add_below});
}

BOOST_AUTO_TEST_CASE(a_bound_that_is_cut_off_hides_no_member)
{
    const std::string common(200, '\xff');
    in_transaction([&](Set set) {
        set.add("k", {common + "b", common + "d"});
        BOOST_TEST(set.pop("k") == common + "b");
        set.add("k", {common + "a", common + "c", common.substr(0, 127), common.substr(0, 129)});
        BOOST_TEST(set.pop("k") == common.substr(0, 127));
        BOOST_TEST(set.pop("k") == common.substr(0, 129));
        BOOST_TEST(set.pop("k") == common + "a");
        BOOST_TEST(list(set.members("k", common)) == (Strings{common + "c", common + "d"}));
    });
}

BOOST_AUTO_TEST_CASE(sets_are_united_intersected_and_subtracted)
{
    in_transaction([](Set set) {
        set.add("a", {"1", "2", "3", "5"});
        set.add("b", {"2", "3", "4"});
        BOOST_TEST(list(set.unite("a", "b")) == (Strings{"1", "2", "3", "4", "5"}));
        BOOST_TEST(list(set.intersection("a", "b")) == (Strings{"2", "3"}));
        BOOST_TEST(list(set.difference("a", "b")) == (Strings{"1", "5"}));
        BOOST_TEST(list(set.difference("b", "a")) == Strings{"4"});
        for (const char* const none : {"none", ""}) {
            BOOST_TEST(list(set.unite("b", none)) == (Strings{"2", "3", "4"}));
            BOOST_TEST(list(set.unite(none, "b")) == (Strings{"2", "3", "4"}));
            BOOST_TEST(list(set.intersection("b", none)).empty());
            BOOST_TEST(list(set.difference("b", none)) == (Strings{"2", "3", "4"}));
            BOOST_TEST(list(set.difference(none, "b")).empty());
        }
        BOOST_TEST(list(set.unite("b", "b")) == (Strings{"2", "3", "4"}));
        BOOST_TEST(list(set.intersection("b", "b")) == (Strings{"2", "3", "4"}));
        BOOST_TEST(list(set.difference("b", "b")).empty());
    });
}

BOOST_AUTO_TEST_CASE(sets_with_wide_gaps_are_walked_over_by_seeking)
{
    const Use fill = [](Set set) {
        set.add("all", numbered(0, 3000));
        set.add("few", numbered(0, 4000, 500));
        set.add("odd", numbered(1, 3000, 2));
        for (int i = 0; i < 700; ++i) {
            set.pop("all");
        }
    };
    const Use look = [](Set set) {
        BOOST_TEST(list(set.intersection("all", "few")) == numbered(1000, 3000, 500));
        BOOST_TEST(list(set.intersection("few", "all")) == numbered(1000, 3000, 500));
        BOOST_TEST(list(set.difference("few", "all")) ==
                   (Strings{numbered(0), numbered(500), numbered(3000), numbered(3500)}));
        BOOST_TEST(list(set.difference("all", "odd")) == numbered(700, 3000, 2));
        BOOST_TEST(set.unite("few", "all").to_vector().size() == 2304U);
    };
    in_transactions({fill, look});
}

BOOST_AUTO_TEST_CASE(a_move_takes_a_member_from_one_set_to_another)
{
    in_transaction([](Set set) {
        set.add("a", {"1", "2", "3"});
        set.add("b", "2");
        BOOST_TEST(set.move("a", "b", "1"));
        BOOST_TEST(set.move("a", "b", "2"));
        BOOST_TEST(!set.move("a", "b", "2"));
        BOOST_TEST(!set.move("none", "b", "1"));
        BOOST_TEST(list(set.members("b")) == (Strings{"1", "2"}));
        BOOST_TEST(set.move("a", "a", "3"));
        BOOST_TEST(!set.move("a", "a", "2"));
        BOOST_TEST(failure_of([&] { set.move("a", "", "3"); }) == code(Error::empty_key));
        BOOST_TEST(list(set.members("a")) == Strings{"3"});
        BOOST_TEST(set.move("a", "c", "3"));
        BOOST_TEST(list(set.keys()) == (Strings{"b", "c"}));
        BOOST_TEST(set.size("b") == 2U);
        BOOST_TEST(set.size("c") == 1U);
    });
}

BOOST_AUTO_TEST_CASE(an_expired_set_does_not_exist)
{
    const Use fill = [this](Set set) {
        set.add("old", {"1", "2"});
        set.add("live", {"2", "3"});
        BOOST_TEST(set.set_ttl("old", 10s));
        BOOST_TEST(set.ttl("old") == std::optional<std::chrono::milliseconds>(10s));
        now += 10s;
    };
    const Use read = [](Set set) {
        BOOST_TEST(!set.contains("old", "1"));
        BOOST_TEST(set.contains_many("old", {"1", "2"}) == std::vector<bool>(2));
        BOOST_TEST(list(set.members("old")).empty());
        BOOST_TEST(list(set.unite("live", "old")) == (Strings{"2", "3"}));
        BOOST_TEST(list(set.intersection("live", "old")).empty());
        BOOST_TEST(list(set.difference("live", "old")) == (Strings{"2", "3"}));
        BOOST_TEST(set.move("live", "old", "3"));
        BOOST_TEST(list(set.members("old")) == Strings{"3"});
        BOOST_TEST(!set.ttl("old"));
    };
    const Use pop = [this](Set set) {
        set.set_ttl("live", 1ms);
        now += 1s;
    };
    const Use gone = [](Set set) {
        BOOST_TEST(!set.pop("live"));
        BOOST_TEST(!set.remove("live", "2"));
        BOOST_TEST(!set.move("live", "old", "2"));
        BOOST_TEST(set.add("live", "1"));
        BOOST_TEST(list(set.members("live")) == Strings{"1"});
    };
    in_transactions({fill, read, pop, gone});
}

BOOST_AUTO_TEST_CASE(a_set_that_was_emptied_starts_again)
{
    const Use empty = [](Set set) {
        set.add("k", {"b", "c"});
        set.set_ttl("k", 10s);
        set.pop("k");
        set.pop("k");
        BOOST_TEST(set.add("k", "a"));
        BOOST_TEST(!set.ttl("k"));
        BOOST_TEST(list(set.members("k")) == Strings{"a"});
        BOOST_TEST(set.erase("k"));
        BOOST_TEST(!set.contains("k", "a"));
        set.add("k", "b");
    };
    const Use look = [](Set set) { BOOST_TEST(list(set.members("k")) == Strings{"b"}); };
    in_transactions({empty, look});
}

BOOST_AUTO_TEST_SUITE_END()
