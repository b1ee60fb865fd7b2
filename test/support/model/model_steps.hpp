// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "model_state.hpp"
#include "model_tools.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

namespace keywatch::test {

/// Makes random changes to a transaction and to a model of its contents, and compares the results
/// of the operations. Throws std::logic_error if they differ.
class ModelSteps {
public:
    ModelSteps(Transaction& tx, ModelState& state, Time now, std::mt19937_64& random)
        : tx_(tx), state_(state), now_(now), random_(random)
    {
    }

    /// Makes one change to any bucket, or to the catalogue.
    void step();

    static constexpr const char* names[] = {"one", "two"};

private:
    template <class Value>
    using Keys = ModelState::Keys<Value>;
    using ListKeys = Keys<std::deque<std::string>>;
    using SetKeys = Keys<std::set<std::string>>;
    using SortedSetKeys = Keys<std::map<std::string, double>>;

    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    std::string bucket() { return names[pick(std::size(names))]; }
    std::string key();
    std::string value();
    double score();
    std::int64_t index(std::size_t size);
    std::chrono::milliseconds ttl() { return std::chrono::milliseconds{1 + pick(200)}; }

    void change_catalogue();
    void change_btree(const std::string& name, Keys<std::string>& keys);
    void count_up(BTree tree, Keys<std::string>& keys, const std::string& key);
    void change_list(const std::string& name, ListKeys& keys);
    void change_elements(List list, ListKeys& keys, const std::string& key);
    void change_set(const std::string& name, SetKeys& keys);
    void move_member(Set set, const std::string& name, SetKeys& keys);
    void compare_sets(Set set, SetKeys& keys);
    void change_sorted_set(const std::string& name, SortedSetKeys& keys);
    void compare_ranks(SortedSet set, SortedSetKeys& keys, const std::string& key);
    template <class View, class AnyKeys>
    void change_key(View view, AnyKeys& keys, const std::string& key);

    Transaction& tx_;
    ModelState& state_;
    const Time now_;
    std::mt19937_64& random_;
};

template <class View, class AnyKeys>
void ModelSteps::change_key(View view, AnyKeys& keys, const std::string& key)
{
    auto* const entry = model::find(keys, key);
    switch (pick(4)) {
    case 0: {
        const std::chrono::milliseconds time = ttl();
        model::require(view.set_ttl(key, time) == (entry != nullptr), "set_ttl");
        if (entry) {
            entry->deadline = now_ + time;
        }
        break;
    }
    case 1:
        model::require(view.clear_ttl(key) == (entry && entry->deadline), "clear_ttl");
        if (entry) {
            entry->deadline.reset();
        }
        break;
    case 2:
        if (pick(4) == 0) {
            model::require(view.erase(key) == (entry != nullptr), "erase");
            keys.erase(key);
        }
        break;
    default: {
        const auto left = view.ttl(key);
        model::require(left.has_value() == (entry && entry->deadline), "ttl");
        model::require(!left || now_ + *left == *entry->deadline, "ttl");
        break;
    }
    }
}

}  // namespace keywatch::test
