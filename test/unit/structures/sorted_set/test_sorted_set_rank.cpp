// SPDX-License-Identifier: BSL-1.0
#include "bytes/hash.hpp"
#include "support/engine/one_sorted_set.hpp"

using namespace keywatch;
using keywatch::test::OneSortedSet;
using keywatch::test::Scored;
using keywatch::test::StoredIndex;

namespace sorted_set = keywatch::structures::sorted_set;

namespace {

using Members = keywatch::test::ScoredMembers;

}  // namespace

// Ranks of sets so large that their index has fences on every level, and the cost of operations, in
// steps of iterators.
BOOST_FIXTURE_TEST_SUITE(test_sorted_set_rank, OneSortedSet)

// The hash determines when bounds are tightened, so it must be the same on every machine.
BOOST_AUTO_TEST_CASE(the_hash_never_changes)
{
    BOOST_TEST(bytes::stable_hash("") == 0xefd01f60ba992926U);
    BOOST_TEST(bytes::stable_hash("keywatch") == 0xb1d34902d13221c4U);
    BOOST_TEST(bytes::stable_hash("\xff\xfe") == 0x75c9056eb1c4b960U);
}

BOOST_AUTO_TEST_CASE(ranks_are_right_after_many_changes)
{
    fill(20'000);
    BOOST_TEST(StoredIndex(*workspace).fences[1].size() > 150U);
    BOOST_TEST(StoredIndex(*workspace).fences[2].size() > 1U);
    check_ranks(37);
    for (int i = 0; i < 20'000; ++i) {
        const std::string member = "m" + std::to_string(random() % 20'000);
        if (random() % 4 == 0) {
            remove(member);
        } else {
            add(member, static_cast<double>(random() % 1000));
        }
    }
    check_ranks(41);
    for (int i = 0; i < 2'000; ++i) {
        const Members first = range(0, 0);
        pop(false);
        BOOST_TEST(!model.scores.contains(first.front().first));
    }
    check_ranks(43);
}

BOOST_AUTO_TEST_CASE(offsets_and_counts_of_scores_use_the_index)
{
    fill(5'000);
    const Members all = model.in_order();
    const ScoreRange scores{.min = 200, .max = 700, .exclude_max = true};
    Members chosen;
    std::ranges::copy_if(all, std::back_inserter(chosen), [](const Scored& each) {
        return each.second >= 200 && each.second < 700;
    });
    BOOST_TEST(sorted_set::count_by_score(*workspace, 0, "k", scores) == chosen.size());
    const auto page = [&](std::uint64_t offset, bool reverse) {
        return sorted_set::range_by_score(workspace, 0, "k", scores, {offset, 1, reverse})
            .to_vector();
    };
    for (const std::size_t offset : {std::size_t{63}, std::size_t{64}, std::size_t{65},
                                     std::size_t{1'500}, chosen.size() - 1}) {
        BOOST_TEST(page(offset, false) == Members{chosen[offset]});
        BOOST_TEST(page(offset, true) == Members{chosen[chosen.size() - 1 - offset]});
    }
    for (const std::size_t offset : {chosen.size(), all.size(), all.size() + 100}) {
        BOOST_TEST(page(offset, false).empty());
        BOOST_TEST(page(offset, true).empty());
    }
    workspace->take_steps();
    BOOST_TEST(page(1'500, true).size() == 1U);
    BOOST_TEST(workspace->take_steps().live < 1'000U);
}

BOOST_AUTO_TEST_CASE(a_rank_takes_few_steps)
{
    fill(30'000);
    const Members all = model.in_order();
    workspace->take_steps();
    for (std::size_t i = 0; i < 300; ++i) {
        rank(all[i * 100].first);
    }
    BOOST_TEST(workspace->take_steps().live < 300U * 160);
    for (std::size_t i = 0; i < 10; ++i) {
        BOOST_TEST(range(-10, -1).size() == 10U);
    }
    BOOST_TEST(workspace->take_steps().live < 10U * 30);
}

// Neither end walks over erased entries, however many members were taken before.
BOOST_AUTO_TEST_CASE(taking_from_the_ends_does_not_step_over_erased_entries)
{
    fill(6'000);
    workspace->take_steps();
    for (int i = 0; i < 2'000; ++i) {
        const auto first = sorted_set::pop_min(*workspace, 0, "k");
        const auto last = sorted_set::pop_max(*workspace, 0, "k");
        BOOST_TEST((first && last && first->second <= last->second));
    }
    const auto steps = workspace->take_steps();
    BOOST_TEST(steps.erased < 4'000U * 40);
    BOOST_TEST(sorted_set::min(*workspace, 0, "k").has_value());
    BOOST_TEST(sorted_set::max(*workspace, 0, "k").has_value());
    BOOST_TEST(workspace->take_steps().erased < 10U);
}

BOOST_AUTO_TEST_CASE(a_queue_of_rising_scores_leaves_no_trail)
{
    for (int i = 0; i < 500; ++i) {
        add("job" + std::to_string(i), i);
    }
    workspace->take_steps();
    for (int i = 500; i < 5'000; ++i) {
        const auto first = sorted_set::min(*workspace, 0, "k");
        if (i % 2 == 0) {
            add(first->first, i);
        } else {
            remove(first->first);
            add("job" + std::to_string(i), i);
        }
    }
    BOOST_TEST(workspace->take_steps().erased < 4'500U * 60);
    sorted_set::remove_by_rank(workspace, 0, "k", 0, 300);
    workspace->take_steps();
    BOOST_TEST(sorted_set::min(*workspace, 0, "k").has_value());
    BOOST_TEST(workspace->take_steps().erased < 20U);
}

// New members come at the front, and the oldest are taken from the back.
BOOST_AUTO_TEST_CASE(a_queue_of_falling_scores_leaves_no_trail)
{
    for (int i = 0; i < 500; ++i) {
        add("job" + std::to_string(i), -i);
    }
    workspace->take_steps();
    for (int i = 500; i < 5'000; ++i) {
        add("job" + std::to_string(i), -i);
        pop(true);
    }
    const auto steps = workspace->take_steps();
    BOOST_TEST(steps.erased < 4'500U * 2);
    BOOST_TEST(steps.live < 4'500U * 4);
    check_ranks(7);
}

// At either end, the last member added is the first one removed.
BOOST_AUTO_TEST_CASE(a_stack_leaves_no_trail)
{
    for (const int sign : {1, -1}) {
        OneSortedSet stack;
        int height = 0;
        for (const int goal : {3'000, 500, 2'000, 10, 1'500, 0, 1'000}) {
            stack.workspace->take_steps();
            int changes = 0;
            for (; height != goal; ++changes) {
                if (height < goal) {
                    stack.add("m" + std::to_string(height), sign * height);
                    ++height;
                } else {
                    stack.pop(sign > 0);
                    --height;
                }
            }
            BOOST_TEST(stack.workspace->take_steps().erased < changes * 3U);
        }
        stack.check_ranks(7);
    }
}

// A queue that was emptied from the front receives members before the rest.
BOOST_AUTO_TEST_CASE(adding_in_front_does_not_step_over_erased_index_entries)
{
    for (int i = 0; i < 20'000; ++i) {
        add("m" + std::to_string(i), i);
    }
    while (model.scores.size() > 4'000) {
        pop(false);
    }
    workspace->take_steps();
    for (int i = 0; i < 50; ++i) {
        add("m" + std::to_string(i), i);
    }
    BOOST_TEST(workspace->take_steps().erased == 0U);
    for (int i = 0; i < 50; ++i) {
        BOOST_TEST(rank("m" + std::to_string(i)) == static_cast<std::uint64_t>(i));
    }
    BOOST_TEST(workspace->take_steps().erased == 0U);
}

// Only the smallest (largest) thousand members are kept.
BOOST_AUTO_TEST_CASE(keeping_the_best_of_many_leaves_no_trail)
{
    for (const bool smallest : {true, false}) {
        OneSortedSet best;
        best.fill(20'000);
        while (best.model.scores.size() > 1'000) {
            best.pop(smallest);
        }
        best.workspace->take_steps();
        for (int i = 0; i < 400; ++i) {
            const auto score = static_cast<double>(best.random() % 20);
            best.add("n" + std::to_string(i), smallest ? score : 1'000 - score);
            best.pop(smallest);
        }
        BOOST_TEST(best.workspace->take_steps().erased < 400U * 3);
        for (int i = 0; i < 100; ++i) {
            const auto last = static_cast<std::int64_t>(best.model.scores.size()) - 70;
            const Members at = best.range(last - i, last - i);
            BOOST_TEST(best.rank(at.front().first) == static_cast<std::uint64_t>(last - i));
        }
        BOOST_TEST(best.workspace->take_steps().erased < 200U * 3);
        best.check_ranks(7);
    }
}

BOOST_AUTO_TEST_SUITE_END()
