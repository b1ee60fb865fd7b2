// SPDX-License-Identifier: BSL-1.0
#include "model_steps.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

namespace keywatch::test {

using namespace model;

namespace {

using Scored = std::vector<std::pair<std::string, double>>;

/// Returns the members ordered by score, then by member.
Scored ordered(const std::map<std::string, double>& members)
{
    Scored scored(members.begin(), members.end());
    std::ranges::stable_sort(scored, {}, &std::pair<std::string, double>::second);
    return scored;
}

}  // namespace

void ModelSteps::change_set(const std::string& name, SetKeys& keys)
{
    Set set = tx_.set(name);
    const std::string key = this->key();
    const std::string member = value();
    auto* const entry = find(keys, key);
    switch (pick(8)) {
    case 0:
    case 1:
    case 2:
        require(set.add(key, member) == keys[key].value.insert(member).second, "add");
        break;
    case 3:
        require(set.remove(key, member) == (entry && entry->value.erase(member) == 1), "remove");
        break;
    case 4: {
        const auto popped = set.pop(key);
        require(popped.has_value() == (entry != nullptr), "pop");
        require(!entry || entry->value.erase(*popped) == 1, "pop");
        break;
    }
    case 5:
        move_member(set, name, keys);
        break;
    case 6:
        compare_sets(set, keys);
        break;
    default:
        change_key(set, keys, key);
        break;
    }
    remove_if_empty(keys, key);
    require(set.contains(key, member) == (keys.contains(key) && keys[key].value.contains(member)),
            "contains");
}

void ModelSteps::move_member(Set set, const std::string& name, SetKeys& keys)
{
    const std::string from = key();
    const std::string to = key();
    const std::string member = value();
    const std::string other = bucket();
    if (!state_.sets.contains(other)) {
        return;
    }
    const bool there = keys.contains(from) && keys[from].value.contains(member);
    bool moved = false;
    if (other == name) {
        moved = set.move(from, to, member);
    } else {
        Set target = tx_.set(other);
        moved = set.move(from, target, to, member);
    }
    require(moved == there, "move");
    if (there && (other != name || from != to)) {
        keys[from].value.erase(member);
        remove_if_empty(keys, from);
        state_.sets[other][to].value.insert(member);
    }
}

void ModelSteps::compare_sets(Set set, SetKeys& keys)
{
    const std::string a = key();
    const std::string b = key();
    const std::set<std::string> none;
    const auto members = [&](const std::string& key) {
        return keys.contains(key) ? keys[key].value : none;
    };
    const std::set<std::string> left = members(a);
    const std::set<std::string> right = members(b);
    std::vector<std::string> expected;
    std::ranges::set_difference(left, right, std::back_inserter(expected));
    require(set.difference(a, b).to_vector() == expected, "difference");
    expected.clear();
    std::ranges::set_intersection(left, right, std::back_inserter(expected));
    require(set.intersection(a, b).to_vector() == expected, "intersection");
    expected.clear();
    std::ranges::set_union(left, right, std::back_inserter(expected));
    require(set.unite(a, b).to_vector() == expected, "unite");
}

void ModelSteps::change_sorted_set(const std::string& name, SortedSetKeys& keys)
{
    SortedSet set = tx_.sorted_set(name);
    const std::string key = this->key();
    const std::string member = value();
    auto* const entry = find(keys, key);
    const Scored before = entry ? ordered(entry->value) : Scored();
    const auto pop = [&](bool smallest) {
        const auto popped = smallest ? set.pop_min(key) : set.pop_max(key);
        require(popped.has_value() == !before.empty(), "pop");
        if (popped) {
            require(*popped == (smallest ? before.front() : before.back()), "pop");
            entry->value.erase(popped->first);
        }
    };
    switch (pick(8)) {
    case 0:
    case 1:
    case 2: {
        const double to = score();
        require(set.add(key, member, to) == !keys[key].value.contains(member), "add");
        keys[key].value[member] = to + 0.0;
        break;
    }
    case 3:
        require(set.remove(key, member) == (entry && entry->value.erase(member) == 1), "remove");
        break;
    case 4:
        pop(pick(2) == 0);
        break;
    case 5: {
        const double sum = (keys[key].value.contains(member) ? keys[key].value[member] : 0) + 1.5;
        require(set.increment(key, member, 1.5) == sum, "increment");
        keys[key].value[member] = sum;
        break;
    }
    case 6:
        compare_ranks(set, keys, key);
        break;
    default:
        change_key(set, keys, key);
        break;
    }
    remove_if_empty(keys, key);
}

void ModelSteps::compare_ranks(SortedSet set, SortedSetKeys& keys, const std::string& key)
{
    auto* const entry = find(keys, key);
    const Scored members = entry ? ordered(entry->value) : Scored();
    require(set.range_by_rank(key, 0, -1).to_vector() == members, "range_by_rank");
    for (std::size_t i = 0; i < members.size(); ++i) {
        require(set.rank(key, members[i].first) == i, "rank");
        require(set.score(key, members[i].first) == members[i].second, "score");
    }
    if (members.size() > 2 && pick(2) == 0) {
        require(set.remove_by_rank(key, 1, 1) == 1, "remove_by_rank");
        entry->value.erase(members[1].first);
    }
}

}  // namespace keywatch::test
