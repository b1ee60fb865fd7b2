// SPDX-License-Identifier: BSL-1.0
#include "support/engine/one_sorted_set.hpp"

#include <algorithm>
#include <set>

using namespace keywatch;
using keywatch::test::code;
using keywatch::test::failure_of;
using keywatch::test::OneSortedSet;
using keywatch::test::ScoredMembers;
using keywatch::test::StoredIndex;

namespace sorted_set = keywatch::structures::sorted_set;

namespace {

constexpr std::array<std::uint64_t, 3> longest{1, 128, 8192};

/// Checks that a level counts each place once, in the fence that it belongs to, or in the tail.
void check_level(const StoredIndex& stored, std::size_t level, const sorted_set::LevelEnds& ends)
{
    auto at = stored.places.begin();
    for (const sorted_set::Fence& fence : stored.fences[level]) {
        const auto end = std::upper_bound(at, stored.places.end(), fence.place);
        BOOST_TEST(fence.count == static_cast<std::uint64_t>(end - at));
        BOOST_TEST(fence.count <= longest[level]);
        at = end;
    }
    BOOST_TEST(ends.tail == static_cast<std::uint64_t>(stored.places.end() - at));
    BOOST_TEST(ends.tail > 0U);
    BOOST_TEST(ends.tail <= longest[level]);
    const auto& fences = stored.fences[level];
    BOOST_TEST(ends.first == (fences.empty() ? "" : fences.front().place.substr(0, 32)));
    BOOST_TEST(ends.last == (fences.empty() ? "" : fences.back().place.substr(0, 32)));
}

/// Checks that all fences of level 2 are on level 1, and that only those may have a count of 0
/// there.
void check_levels_line_up(const StoredIndex& stored)
{
    std::set<std::string> high;
    for (const sorted_set::Fence& fence : stored.fences[2]) {
        BOOST_TEST(fence.count > 0U);
        high.insert(fence.place);
    }
    for (const sorted_set::Fence& fence : stored.fences[1]) {
        BOOST_TEST(high.erase(fence.place) + fence.count > 0U);
    }
    BOOST_TEST(high.empty());
}

struct Index : OneSortedSet {
    void check()
    {
        if (model.scores.empty()) {
            check_nothing_is_left();
            return;
        }
        const StoredIndex stored(*workspace);
        BOOST_TEST(stored.places.size() == model.scores.size());
        bytes::ByteReader content(stored.header.content);
        const sorted_set::Ends ends(content, stored.header.size);
        check_level(stored, 1, ends[1]);
        check_level(stored, 2, ends[2]);
        check_levels_line_up(stored);
    }

    void check_nothing_is_left()
    {
        const auto elements = workspace->iterate(0);
        elements->seek("e");
        BOOST_TEST((!elements->valid() || !elements->key().starts_with('e')));
    }

    std::string any() { return "m" + std::to_string(random() % 40'000); }
    /// Returns a score; some are close together, and some are equal.
    double any_score() { return static_cast<double>(random() % (random() % 2 == 0 ? 50 : 10'000)); }
    ScoredMembers many(std::size_t count)
    {
        std::map<std::string, double> members;
        while (members.size() < count) {
            members[any()] = any_score();
        }
        return {members.begin(), members.end()};
    }
    void remove_range()
    {
        const ScoredMembers all = model.in_order();
        const auto first = static_cast<std::int64_t>(random() % (all.size() + 1));
        const auto last = first + static_cast<std::int64_t>(random() % 2'000);
        for (const auto& [member, score] : range(first, last)) {
            model.scores.erase(member);
        }
        BOOST_TEST(sorted_set::remove_by_rank(workspace, 0, "k", first, last) ==
                   all.size() - model.scores.size());
    }

    /// Makes one change. `growing`: how many of 10 ordinary changes add a member.
    void change(unsigned growing)
    {
        const bool empty = model.scores.empty();
        switch (random() % 400) {
        case 0:
            add(many(random() % 3'000));
            return;
        case 1:
            remove_range();
            return;
        default:
            break;
        }
        const auto one = static_cast<unsigned>(random() % 10);
        if (empty || one < growing) {
            add(any(), any_score());
        } else if (one < 8) {
            remove(any());
        } else {
            pop(one == 9);
        }
    }
};

}  // namespace

// The stored form of the rank index of a sorted set, after all kinds of changes.
BOOST_FIXTURE_TEST_SUITE(test_rank_index, Index)

BOOST_AUTO_TEST_CASE(counts_are_right_after_any_changes)
{
    for (const unsigned seed : {1U, std::random_device()()}) {
        BOOST_TEST_MESSAGE("seed " << seed);
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            Index set;
            set.random.seed(seed);
            set.add(set.many(25'000));
            set.check();
            for (const unsigned growing : {5U, 2U, 8U, 0U, 7U}) {
                for (int i = 0; i < 3'000; ++i) {
                    set.change(growing);
                    if (i % 500 == 0) {
                        set.check();
                    }
                }
                set.check();
                set.check_ranks(97);
            }
            while (!set.model.scores.empty()) {
                set.pop(set.random() % 2 == 0);
            }
            set.check();
        }
    }
}

BOOST_AUTO_TEST_CASE(many_members_may_come_at_once)
{
    ScoredMembers members;
    for (int i = 0; i < 100'000; ++i) {
        members.emplace_back("m" + std::to_string(i), static_cast<double>(random() % 1'000'000));
    }
    workspace->take_steps();
    add(members);
    BOOST_TEST(workspace->take_steps().live < 3U * members.size());
    check();
    const StoredIndex stored(*workspace);
    BOOST_TEST(stored.fences[1].size() > 1'000U);
    BOOST_TEST(stored.fences[2].size() > 10U);
    check_ranks(997);
}

BOOST_AUTO_TEST_CASE(few_members_have_no_fence)
{
    fill(128);
    for (int i = 0; i < 3'000; ++i) {
        add("m" + std::to_string(random() % 128), any_score());
    }
    BOOST_TEST(StoredIndex(*workspace).fences[1].empty());
    add("one more", 500);
    BOOST_TEST(StoredIndex(*workspace).fences[1].size() == 1U);
    BOOST_TEST(StoredIndex(*workspace).fences[2].empty());
    check();
}

BOOST_AUTO_TEST_CASE(members_that_are_replaced_leave_the_fences_where_they_are)
{
    ScoredMembers members;
    for (int i = 0; i < 12'000; ++i) {
        members.emplace_back("m" + std::to_string(i), static_cast<double>(i));
    }
    std::ranges::shuffle(members, random);
    add(members);
    const auto places = [this](std::size_t level) {
        const StoredIndex stored(*workspace);
        std::vector<std::string> all;
        for (const sorted_set::Fence& fence : stored.fences[level]) {
            all.push_back(fence.place);
        }
        return all;
    };
    const auto low = places(1);
    const auto high = places(2);
    BOOST_TEST(high.size() > 0U);
    for (const auto& [member, score] : members) {
        remove(member);
        add("n" + member, score);
    }
    BOOST_TEST(places(1) == low);
    BOOST_TEST(places(2) == high);
    check();
}

// A stretch remains as long as it contains a place, so the index is never much longer than the set.
BOOST_AUTO_TEST_CASE(an_empty_stretch_is_removed_and_others_stay)
{
    fill(20'000);
    const std::size_t high = StoredIndex(*workspace).fences[2].size();
    for (int i = 0; i < 20'000; ++i) {
        if (i % 100 != 0) {
            remove("m" + std::to_string(i));
        }
    }
    check();
    check_ranks(1);
    const StoredIndex stored(*workspace);
    BOOST_TEST(stored.fences[1].size() <= 200 + high);
    BOOST_TEST(stored.fences[2].size() <= high);
    workspace->take_steps();
    fill(1);
    BOOST_TEST(workspace->take_steps().live == 0U);
}

// Common beginnings of each length up to the one at which a bound is cut off, and longer.
BOOST_AUTO_TEST_CASE(places_with_common_beginnings_are_distinguished)
{
    for (const std::size_t common : {0, 23, 24, 25, 40}) {
        Index set;
        const std::string prefix(common, '\xff');
        for (int i = 0; i < 3'000; ++i) {
            set.add(prefix + std::to_string(set.random() % 600), 1);
            if (i % 3 == 0) {
                set.remove(set.model.scores.rbegin()->first);
            }
            if (i % 300 == 0) {
                set.check();
            }
        }
        set.check();
        set.check_ranks(1);
        while (!set.model.scores.empty()) {
            set.remove(set.model.scores.rbegin()->first);
        }
        set.check();
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_header_is_damage)
{
    const auto parsed = [](std::string_view content) {
        return failure_of([&] {
            bytes::ByteReader reader(content);
            (void)sorted_set::Ends(reader, 3);
        });
    };
    using namespace std::string_view_literals;
    BOOST_TEST(!parsed("\2\1a\1b\3"sv));
    BOOST_TEST(!parsed("\1\1a\1b\2\1b\1b"sv));
    BOOST_TEST(!parsed("\3\3more"sv));
    for (const std::string_view content :
         {""sv, "\3"sv, "\3\2"sv, "\2\1a"sv, "\3\2\1a\2a"sv,                     // cut off
          "\0\1a\1a\3"sv, "\2\1a\1a\1\1a\1a"sv, "\4\4"sv,                        // sizes
          "\2\0\0\3"sv, "\2\1b\1a\3"sv, "\2\0\1a\3"sv, "\2\1\xff\1\xff\3"sv}) {  // fences
        BOOST_TEST(parsed(content) == code(Error::damaged));
    }
}

BOOST_AUTO_TEST_SUITE_END()
