// SPDX-License-Identifier: BSL-1.0
// Ranks of sets so large that their index has nodes on every level, and what operations cost, in
// steps of iterators.
#include "structures/sorted_set.hpp"

#include "bytes/hash.hpp"
#include "structures/sorted_elements.hpp"
#include "support/counting_workspace.hpp"
#include "support/sorted_set_model.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace keywatch;
using keywatch::test::CountingWorkspace;
using keywatch::test::Scored;
using keywatch::test::SortedModel;

namespace sorted_set = keywatch::structures::sorted_set;

namespace {

using Members = std::vector<Scored>;

/// A set in memory, and what it should be.
struct OneSet {
    std::shared_ptr<CountingWorkspace> workspace = std::make_shared<CountingWorkspace>();
    SortedModel model;
    std::mt19937 random{1};

    void add(const std::string& member, double score)
    {
        const std::array one{ScoredMember{member, score}};
        sorted_set::add(*workspace, 0, "k", one);
        model.scores[member] = score;
    }
    void remove(const std::string& member)
    {
        BOOST_TEST(sorted_set::remove(*workspace, 0, "k", member) ==
                   (model.scores.erase(member) == 1));
    }
    void fill(int members)
    {
        for (int i = 0; i < members; ++i) {
            add("m" + std::to_string(i), static_cast<double>(random() % 1000));
        }
    }
    std::uint64_t rank(const std::string& member)
    {
        return sorted_set::rank(*workspace, 0, "k", member).value();
    }
    Members range(std::int64_t first, std::int64_t last)
    {
        return sorted_set::range_by_rank(workspace, 0, "k", first, last).to_vector();
    }
    /// Every `stride`th member has its rank, and is found by it.
    void check_ranks(std::size_t stride)
    {
        const Members all = model.in_order();
        for (std::size_t i = 0; i < all.size(); i += stride) {
            BOOST_TEST(rank(all[i].first) == i);
            const auto at = static_cast<std::int64_t>(i);
            BOOST_TEST((range(at, at) == Members{all[i]}));
        }
    }
};

/// The nodes of a level, as they are stored.
std::vector<std::pair<std::string, std::string>> nodes(const CountingWorkspace& workspace,
                                                       std::size_t level)
{
    std::vector<std::pair<std::string, std::string>> nodes;
    sorted_set::Elements elements(workspace, 0, 1);
    for (elements.seek(sorted_set::levels[level], {}); elements.valid(); elements.next()) {
        nodes.emplace_back(elements.rest(), elements.value());
    }
    return nodes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_sorted_set_rank, OneSet)

// What is stored depends on it, so it may never change.
BOOST_AUTO_TEST_CASE(the_hash_is_what_it_always_was)
{
    BOOST_TEST(bytes::stable_hash("") == 0xefd01f60ba992926U);
    BOOST_TEST(bytes::stable_hash("keywatch") == 0xb1d34902d13221c4U);
    BOOST_TEST(bytes::stable_hash("\xff\xfe") == 0x75c9056eb1c4b960U);
}

BOOST_AUTO_TEST_CASE(ranks_are_right_after_many_changes)
{
    fill(20'000);
    BOOST_TEST(nodes(*workspace, 1).size() > 200U);
    BOOST_TEST(nodes(*workspace, 2).size() > 1U);
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
        const Members all = range(0, 0);
        BOOST_TEST((sorted_set::pop_min(*workspace, 0, "k") == all.front()));
        model.scores.erase(all.front().first);
    }
    check_ranks(43);
}

// The same members have the same index, whatever happened before.
BOOST_AUTO_TEST_CASE(the_index_depends_on_the_members_alone)
{
    fill(12'000);
    for (int i = 0; i < 6'000; ++i) {
        remove("m" + std::to_string(2 * i));
        add("m" + std::to_string(2 * i + 1), i % 100);
    }
    OneSet other;
    Members all = model.in_order();
    std::ranges::shuffle(all, random);
    for (const auto& [member, score] : all) {
        other.add(member, score);
    }
    for (const std::size_t level : {1, 2}) {
        const auto some = nodes(*workspace, level);
        BOOST_TEST((some == nodes(*other.workspace, level)));
        BOOST_TEST(!some.empty());
    }
    while (sorted_set::pop_max(*workspace, 0, "k")) {
    }
    BOOST_TEST(nodes(*workspace, 1).empty());
    BOOST_TEST(nodes(*workspace, 2).empty());
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
        BOOST_TEST((page(offset, false) == Members{chosen[offset]}));
        BOOST_TEST((page(offset, true) == Members{chosen[chosen.size() - 1 - offset]}));
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
        BOOST_TEST((range(-10, -1).size() == 10U));
    }
    BOOST_TEST(workspace->take_steps().live < 10U * 30);
}

// However many were taken before: neither end walks over what was erased there.
BOOST_AUTO_TEST_CASE(taking_from_the_ends_does_not_step_over_what_was_erased)
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

BOOST_AUTO_TEST_SUITE_END()
