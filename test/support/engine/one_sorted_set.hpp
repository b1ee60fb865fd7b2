// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "counting_workspace.hpp"
#include "support/called_at.hpp"
#include "support/model/sorted_set_model.hpp"
#include "support/printing.hpp"

#include "bytes/numbers.hpp"
#include "structures/collection.hpp"
#include "structures/sorted_set/rank_index.hpp"
#include "structures/sorted_set/sorted_elements.hpp"
#include "structures/sorted_set/sorted_set.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <source_location>
#include <string>
#include <vector>

namespace keywatch::test {

namespace sorted_set = keywatch::structures::sorted_set;

using ScoredMembers = std::vector<Scored>;

/// A sorted set in memory, and its expected contents.
struct OneSortedSet {
    std::shared_ptr<CountingWorkspace> workspace = std::make_shared<CountingWorkspace>();
    SortedModel model;
    std::mt19937 random{1};

    void add(const std::string& member, double score)
    {
        const std::array one{ScoredMember{member, score}};
        sorted_set::add(*workspace, 0, "k", one);
        model.scores[member] = score;
    }
    void add(const ScoredMembers& members)
    {
        std::vector<ScoredMember> views;
        for (const auto& [member, score] : members) {
            views.push_back({member, score});
            model.scores[member] = score;
        }
        sorted_set::add(*workspace, 0, "k", views);
    }
    void remove(const std::string& member,
                std::source_location where = std::source_location::current())
    {
        BOOST_TEST_INFO_SCOPE(called_at(where));
        const bool there = model.scores.contains(member);
        BOOST_TEST(sorted_set::remove(*workspace, 0, "k", member) == there);
        model.scores.erase(member);
    }
    /// Removes the smallest or the largest member. Precondition: the set is not empty.
    void pop(bool last, std::source_location where = std::source_location::current())
    {
        BOOST_TEST_INFO_SCOPE(called_at(where));
        const auto popped = last ? sorted_set::pop_max(*workspace, 0, "k")
                                 : sorted_set::pop_min(*workspace, 0, "k");
        const auto at = model.scores.find(popped.value().first);
        BOOST_TEST((at != model.scores.end() && at->second == popped->second));
        model.scores.erase(at);
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
    ScoredMembers range(std::int64_t first, std::int64_t last)
    {
        return sorted_set::range_by_rank(workspace, 0, "k", first, last).to_vector();
    }
    /// Checks that every `stride`th member has its rank, and is found by it.
    void check_ranks(std::size_t stride,
                     std::source_location where = std::source_location::current())
    {
        BOOST_TEST_INFO_SCOPE(called_at(where));
        const ScoredMembers all = model.in_order();
        for (std::size_t i = 0; i < all.size(); i += stride) {
            BOOST_TEST(rank(all[i].first) == i);
            const auto at = static_cast<std::int64_t>(i);
            BOOST_TEST(range(at, at) == ScoredMembers{all[i]});
        }
    }
};

/// The stored form of the set above, which must not be empty: its header, all places, and for each
/// level its fences with their counts.
struct StoredIndex {
    explicit StoredIndex(const CountingWorkspace& workspace)
        : header(structures::collection::find(workspace, 0, "k").value())
    {
        sorted_set::Elements elements(workspace, 0, header.id);
        for (elements.seek(sorted_set::by_place, {}); elements.valid(); elements.next()) {
            places.emplace_back(elements.suffix());
        }
        for (std::size_t level = 1; level < sorted_set::levels.size(); ++level) {
            for (elements.seek(sorted_set::levels[level], {}); elements.valid(); elements.next()) {
                fences[level].push_back(
                    {std::string(elements.suffix()),
                     bytes::load_fixed<std::uint64_t>(elements.value().data())});
            }
        }
    }

    structures::collection::Header header;
    std::vector<std::string> places;
    std::array<std::vector<sorted_set::Fence>, sorted_set::levels.size()> fences;
};

}  // namespace keywatch::test
