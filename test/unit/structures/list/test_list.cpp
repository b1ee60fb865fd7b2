// SPDX-License-Identifier: BSL-1.0
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::Task;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

/// A bucket in a database in memory. Cases run in one transaction, where all contents are visible.
struct OneBucket : test::EventLoop {
    void in_transaction(std::function<void(List)> check)
    {
        run([check]() -> Task {
            Database db = co_await Database::open(Options("memory:"));
            co_await db.update([&](Transaction& tx) {
                tx.create_bucket(Structure::list, "l");
                check(tx.list("l"));
            });
            co_await db.close();
        });
    }
};

/// Returns the elements, each followed by a space.
std::string text(Range<std::string_view> range)
{
    std::string text;
    for (const std::string_view each : range) {
        text += std::string(each) + ' ';
    }
    return text;
}

std::string text(const ListView& lists, std::string_view key = "k")
{
    return text(lists.range(key));
}

}  // namespace

// The structure `list`: its operations and their results.
BOOST_FIXTURE_TEST_SUITE(test_list, OneBucket)

BOOST_AUTO_TEST_CASE(both_ends_grow_and_shrink)
{
    in_transaction([](List lists) {
        BOOST_TEST(lists.push_back("k", "c") == 1U);
        BOOST_TEST(lists.push_front("k", "b") == 2U);
        BOOST_TEST(lists.push_front("k", "a") == 3U);
        BOOST_TEST(lists.push_back("k", "d") == 4U);
        BOOST_TEST(text(lists) == "a b c d ");
        BOOST_TEST(lists.front("k") == "a");
        BOOST_TEST(lists.back("k") == "d");
        BOOST_TEST(lists.pop_front("k") == "a");
        BOOST_TEST(lists.pop_back("k") == "d");
        BOOST_TEST(text(lists) == "b c ");
        BOOST_TEST(lists.size("k") == 2U);
    });
}

BOOST_AUTO_TEST_CASE(pop_twice_in_one_transaction_returns_different_elements)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c", "d"});
        BOOST_TEST(lists.pop_front("k") == "a");
        BOOST_TEST(lists.pop_front("k") == "b");
        BOOST_TEST(lists.pop_back("k") == "d");
        BOOST_TEST(lists.pop_back("k") == "c");
        BOOST_TEST(lists.pop_back("k") == std::nullopt);
        BOOST_TEST(lists.pop_front("k") == std::nullopt);
    });
}

BOOST_AUTO_TEST_CASE(a_list_that_becomes_empty_is_removed)
{
    in_transaction([](List lists) {
        lists.push_back("k", "a");
        lists.set_ttl("k", std::chrono::hours(1));
        lists.pop_back("k");
        BOOST_TEST(!lists.has_key("k"));
        BOOST_TEST(lists.keys().to_vector().empty());
        lists.push_back("k", "b");
        BOOST_TEST(!lists.ttl("k"));
        BOOST_TEST(text(lists) == "b ");
    });
}

BOOST_AUTO_TEST_CASE(many_are_pushed_in_their_order)
{
    in_transaction([](List lists) {
        BOOST_TEST(lists.push_back("k", {"a", "b"}) == 2U);
        BOOST_TEST(lists.push_front("k", {"c", "d"}) == 4U);
        BOOST_TEST(text(lists) == "d c a b ");
        BOOST_TEST(lists.push_back("k", {"one"}) == 5U);
        BOOST_TEST(lists.push_back("k", {}) == 5U);
        BOOST_TEST(text(lists) == "d c a b one ");
    });
}

// Includes ranges whose elements are temporary, and are destroyed at the next one.
BOOST_AUTO_TEST_CASE(ranges_of_all_kinds_are_pushed)
{
    in_transaction([](List lists) {
        const std::vector<std::string> strings{"a", "b"};
        lists.push_back("k", strings);
        lists.push_back("k", std::list<std::string_view>{"c", "d"});
        const char* const literals[] = {"e", "f"};
        lists.push_front("k", literals);
        BOOST_TEST(text(lists) == "f e a b c d ");

        const auto letter = [](int i) { return std::string(20, static_cast<char>('a' + i)); };
        lists.push_back("made", std::views::iota(0, 3) | std::views::transform(letter));
        BOOST_TEST(text(lists, "made") == letter(0) + ' ' + letter(1) + ' ' + letter(2) + ' ');

        lists.push_back("copy", lists.range("k"));
        BOOST_TEST(text(lists, "copy") == "f e a b c d ");
        lists.push_back("k", lists.range("k", -2, -1));
        BOOST_TEST(text(lists) == "f e a b c d c d ");
        lists.push_back("none", lists.range("nowhere"));
        BOOST_TEST(!lists.has_key("none"));
    });
}

BOOST_AUTO_TEST_CASE(elements_are_any_bytes)
{
    in_transaction([](List lists) {
        std::string all_bytes;
        for (int byte = 0; byte < 256; ++byte) {
            all_bytes += static_cast<char>(byte);
        }
        const std::vector<std::string> elements{"",        std::string(1, '\0'),        "a|b",
                                                all_bytes, std::string(2'000'000, 'x'), ""};
        const std::string key("\0k\xff", 3);
        lists.push_back(key, elements);
        BOOST_TEST(lists.range(key).to_vector() == elements);
        for (std::size_t i = 0; i < elements.size(); ++i) {
            BOOST_TEST(lists.at(key, static_cast<std::int64_t>(i)) == elements[i]);
        }
        BOOST_TEST(lists.remove(key, "") == 2U);
        BOOST_TEST(lists.pop_back(key) == elements[4]);
        BOOST_TEST(lists.pop_back(key) == all_bytes);
        BOOST_TEST(!lists.has_key(key.substr(0, 2)));
    });
}

// One key is a prefix of another.
BOOST_AUTO_TEST_CASE(keys_do_not_touch_each_other)
{
    in_transaction([](List lists) {
        for (const std::string key : {"k", "kk", "l"}) {
            lists.push_back(key, {key + "1", key + "2"});
        }
        lists.remove("k", "kk1");
        lists.trim("l", 0, 0);
        lists.erase("kk");
        BOOST_TEST(text(lists) == "k1 k2 ");
        BOOST_TEST(text(lists, "kk").empty());
        BOOST_TEST(text(lists, "l") == "l1 ");
    });
}

BOOST_AUTO_TEST_CASE(negative_indexes_count_from_the_end)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c"});
        BOOST_TEST(lists.at("k", 0) == "a");
        BOOST_TEST(lists.at("k", 2) == "c");
        BOOST_TEST(lists.at("k", -1) == "c");
        BOOST_TEST(lists.at("k", -3) == "a");
        for (const std::int64_t outside : {std::int64_t{3}, std::int64_t{-4}, lowest, highest}) {
            BOOST_TEST(!lists.at("k", outside));
            BOOST_TEST(!lists.at("none", outside));
        }
        BOOST_TEST(!lists.front("none"));
        BOOST_TEST(!lists.back("none"));
    });
}

BOOST_AUTO_TEST_CASE(ranges_have_both_ends_and_stay_within_the_list)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c", "d"});
        const auto range = [&](std::int64_t first, std::int64_t last) {
            return text(lists.range("k", first, last));
        };
        BOOST_TEST(range(0, -1) == "a b c d ");
        BOOST_TEST(range(1, 2) == "b c ");
        BOOST_TEST(range(-3, -2) == "b c ");
        BOOST_TEST(range(3, 3) == "d ");
        BOOST_TEST(range(-1, 100) == "d ");
        BOOST_TEST(range(-100, 0) == "a ");
        BOOST_TEST(range(lowest, highest) == "a b c d ");
        BOOST_TEST(range(2, 1).empty());
        BOOST_TEST(range(4, 10).empty());
        BOOST_TEST(range(0, -5).empty());
        BOOST_TEST(range(lowest, lowest).empty());
        BOOST_TEST(range(highest, highest).empty());
        BOOST_TEST(text(lists.range("none")).empty());
    });
}

BOOST_AUTO_TEST_CASE(a_range_can_be_iterated_again_and_sees_new_writes)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b"});
        Range<std::string_view> range = lists.range("k", -2, -1);
        BOOST_TEST(range.to_vector() == (std::vector<std::string>{"a", "b"}));
        lists.push_back("k", "c");
        BOOST_TEST(range.to_vector() == (std::vector<std::string>{"b", "c"}));
        lists.erase("k");
        BOOST_TEST(range.to_vector().empty());
    });
}

BOOST_AUTO_TEST_CASE(set_replaces_what_is_there)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c"});
        lists.set("k", 1, "B");
        lists.set("k", -1, "C");
        BOOST_TEST(text(lists) == "a B C ");
        for (const std::int64_t outside : {std::int64_t{3}, std::int64_t{-4}, lowest, highest}) {
            BOOST_TEST(failure_of([&] { lists.set("k", outside, "x"); }) ==
                       code(Error::index_out_of_range));
        }
        BOOST_TEST(failure_of([&] { lists.set("none", 0, "x"); }) ==
                   code(Error::index_out_of_range));
        BOOST_TEST(text(lists) == "a B C ");
        BOOST_TEST(!lists.has_key("none"));
    });
}

BOOST_AUTO_TEST_CASE(insert_puts_an_element_before_another)
{
    in_transaction([](List lists) {
        BOOST_TEST(lists.insert("k", 0, "d") == 1U);
        BOOST_TEST(lists.insert("k", 0, "a") == 2U);
        BOOST_TEST(lists.insert("k", -1, "c") == 3U);
        BOOST_TEST(lists.insert("k", 1, "b") == 4U);
        BOOST_TEST(lists.insert("k", 4, "e") == 5U);
        BOOST_TEST(lists.insert("k", -5, "_") == 6U);
        BOOST_TEST(text(lists) == "_ a b c d e ");
        for (const std::int64_t outside : {std::int64_t{7}, std::int64_t{-7}, lowest, highest}) {
            BOOST_TEST(failure_of([&] { lists.insert("k", outside, "x"); }) ==
                       code(Error::index_out_of_range));
        }
        BOOST_TEST(failure_of([&] { lists.insert("none", -1, "x"); }) ==
                   code(Error::index_out_of_range));
        BOOST_TEST(text(lists) == "_ a b c d e ");
        BOOST_TEST(!lists.has_key("none"));
    });
}

BOOST_AUTO_TEST_CASE(remove_counts_from_either_end)
{
    in_transaction([](List lists) {
        const auto removed = [&](std::int64_t count) {
            lists.erase("k");
            lists.push_back("k", {"x", "a", "x", "b", "x", "c", "x"});
            const std::uint64_t number = lists.remove("k", "x", count);
            BOOST_TEST(lists.size("k") == 7 - number);
            return std::to_string(number) + ": " + text(lists);
        };
        BOOST_TEST(removed(0) == "4: a b c ");
        BOOST_TEST(removed(1) == "1: a x b x c x ");
        BOOST_TEST(removed(3) == "3: a b c x ");
        BOOST_TEST(removed(-1) == "1: x a x b x c ");
        BOOST_TEST(removed(-3) == "3: x a b c ");
        BOOST_TEST(removed(highest) == "4: a b c ");
        BOOST_TEST(removed(lowest) == "4: a b c ");
        BOOST_TEST(lists.remove("k", "y") == 0U);
        BOOST_TEST(lists.remove("none", "x") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(remove_of_a_value_containing_a_bar_does_not_remove_another)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "a|b", "b", "a|", "|", "a|b"});
        BOOST_TEST(lists.remove("k", "a|b", 1) == 1U);
        BOOST_TEST(text(lists) == "a b a| | a|b ");
        BOOST_TEST(lists.remove("k", "|") == 1U);
        BOOST_TEST(text(lists) == "a b a| a|b ");
    });
}

BOOST_AUTO_TEST_CASE(remove_at_counts_all_indexes_before_removing_any)
{
    in_transaction([](List lists) {
        const auto removed = [&](const std::vector<std::int64_t>& indexes) {
            lists.erase("k");
            lists.push_back("k", {"a", "b", "c", "d", "e"});
            const std::uint64_t number = lists.remove_at("k", indexes);
            return std::to_string(number) + ": " + text(lists);
        };
        BOOST_TEST(removed({}) == "0: a b c d e ");
        BOOST_TEST(removed({0}) == "1: b c d e ");
        BOOST_TEST(removed({-1, 0}) == "2: b c d ");
        BOOST_TEST(removed({3, 1}) == "2: a c e ");
        BOOST_TEST(removed({2, 2, -3}) == "1: a b d e ");
        BOOST_TEST(removed({0, 1, 2, 3, 4}) == "5: ");
        BOOST_TEST(!lists.has_key("k"));
    });
}

BOOST_AUTO_TEST_CASE(remove_at_changes_nothing_if_one_index_is_out_of_range)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c"});
        for (const std::int64_t outside : {std::int64_t{3}, std::int64_t{-4}, lowest, highest}) {
            BOOST_TEST(failure_of([&] { lists.remove_at("k", {0, outside}); }) ==
                       code(Error::index_out_of_range));
        }
        BOOST_TEST(failure_of([&] { lists.remove_at("none", {0}); }) ==
                   code(Error::index_out_of_range));
        BOOST_TEST(lists.remove_at("none", {}) == 0U);
        BOOST_TEST(text(lists) == "a b c ");
    });
}

BOOST_AUTO_TEST_CASE(trim_keeps_what_a_range_would_return)
{
    in_transaction([](List lists) {
        for (std::int64_t first = -8; first <= 8; ++first) {
            for (std::int64_t last = -8; last <= 8; ++last) {
                lists.erase("k");
                lists.push_back("k", {"a", "b", "c", "d", "e", "f"});
                const std::string expected = text(lists.range("k", first, last));
                BOOST_TEST(lists.trim("k", first, last) == expected.size() / 2);
                BOOST_TEST(text(lists) == expected, first << " to " << last);
                BOOST_TEST(lists.has_key("k") == !expected.empty());
            }
        }
        BOOST_TEST(lists.trim("none", 0, -1) == 0U);
    });
}

BOOST_AUTO_TEST_CASE(trim_with_a_negative_end_does_not_empty_the_list)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c", "d"});
        BOOST_TEST(lists.trim("k", 0, -2) == 3U);
        BOOST_TEST(text(lists) == "a b c ");
        BOOST_TEST(lists.trim("k", 1, -1) == 2U);
        BOOST_TEST(text(lists) == "b c ");
    });
}

BOOST_AUTO_TEST_CASE(a_list_can_be_used_after_a_trim_and_keeps_its_deadline)
{
    in_transaction([](List lists) {
        lists.push_back("k", {"a", "b", "c", "d", "e"});
        lists.set_ttl("k", std::chrono::hours(1));
        lists.trim("k", -1, -1);
        lists.push_front("k", "x");
        lists.push_back("k", "y");
        BOOST_TEST(text(lists) == "x e y ");
        BOOST_TEST(lists.ttl("k") == std::chrono::hours(1));
        lists.trim("k", lowest, lowest);
        lists.push_back("k", "z");
        BOOST_TEST(text(lists) == "z ");
        BOOST_TEST(!lists.ttl("k"));
    });
}

BOOST_AUTO_TEST_CASE(an_empty_key_has_no_list)
{
    in_transaction([](List lists) {
        const auto empty_key = code(Error::empty_key);
        BOOST_TEST(failure_of([&] { lists.push_back("", "v"); }) == empty_key);
        BOOST_TEST(failure_of([&] { lists.push_front("", {"v", "w"}); }) == empty_key);
        BOOST_TEST(failure_of([&] { lists.insert("", 0, "v"); }) == empty_key);
        BOOST_TEST(!lists.pop_front(""));
        BOOST_TEST(lists.size("") == 0U);
        BOOST_TEST(lists.trim("", 0, 0) == 0U);
        BOOST_TEST(text(lists, "").empty());
    });
}

BOOST_AUTO_TEST_SUITE_END()
