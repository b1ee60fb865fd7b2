// SPDX-License-Identifier: BSL-1.0
#include "model_steps.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

namespace keywatch::test {

using namespace model;

namespace {

using namespace std::string_literals;

/// Converts inclusive, possibly negative indexes of a list to [first, last).
std::pair<std::size_t, std::size_t> bounds(std::int64_t first, std::int64_t last, std::size_t size)
{
    const auto n = static_cast<std::int64_t>(size);
    first = std::max<std::int64_t>(first < 0 ? first + n : first, 0);
    last = std::min(last < 0 ? last + n : last, n - 1);
    return first > last
               ? std::pair<std::size_t, std::size_t>{0, 0}
               : std::pair{static_cast<std::size_t>(first), static_cast<std::size_t>(last) + 1};
}

}  // namespace

std::string ModelSteps::key()
{
    static const std::vector<std::string> keys{"a", "a\0b"s, "b|", "\xff", "e"};
    return keys[pick(keys.size())];
}

std::string ModelSteps::value()
{
    static const std::vector<std::string> values{
        "", "1", "-5", "x|y", "\0\xff"s, "\xff\xff", "abc", "abd", "z", "costarring", "liquor"};
    return values[pick(values.size())];
}

double ModelSteps::score()
{
    static const std::vector<double> scores{
        0.0,  -0.0,   1,   -1, 0.1, 1e300, std::numeric_limits<double>::infinity(),
        -2.5, 5e-324, 2.5, 7};
    return scores[pick(scores.size())];
}

std::int64_t ModelSteps::index(std::size_t size)
{
    return static_cast<std::int64_t>(pick(2 * size + 4)) - static_cast<std::int64_t>(size) - 2;
}

void ModelSteps::step()
{
    if (pick(40) == 0) {
        change_catalogue();
        return;
    }
    const std::string name = bucket();
    switch (pick(4)) {
    case 0:
        if (state_.btrees.contains(name)) {
            change_btree(name, state_.btrees[name]);
        }
        break;
    case 1:
        if (state_.lists.contains(name)) {
            change_list(name, state_.lists[name]);
        }
        break;
    case 2:
        if (state_.sets.contains(name)) {
            change_set(name, state_.sets[name]);
        }
        break;
    default:
        if (state_.sorted_sets.contains(name)) {
            change_sorted_set(name, state_.sorted_sets[name]);
        }
        break;
    }
}

void ModelSteps::change_catalogue()
{
    const std::string name = bucket();
    const auto structure = static_cast<Structure>(1 + pick(4));
    state_.each_structure([&](Structure each, auto& buckets) {
        if (each != structure) {
            return;
        }
        require(tx_.has_bucket(structure, name) == buckets.contains(name), "has_bucket");
        if (!buckets.contains(name)) {
            tx_.create_bucket(structure, name);
            buckets[name];
        } else if (pick(4) == 0) {
            tx_.delete_bucket(structure, name);
            buckets.erase(name);
        }
    });
}

void ModelSteps::change_btree(const std::string& name, Keys<std::string>& keys)
{
    BTree tree = tx_.btree(name);
    const std::string key = this->key();
    const std::string value = this->value();
    auto* const entry = find(keys, key);
    switch (pick(9)) {
    case 0:
        tree.put(key, value);
        keys[key] = {value, {}};
        break;
    case 1: {
        const std::chrono::milliseconds time = ttl();
        tree.put(key, value, time);
        keys[key] = {value, now_ + time};
        break;
    }
    case 2:
        require(tree.erase(key) == (entry != nullptr), "erase");
        keys.erase(key);
        break;
    case 3:
        require(tree.put_if_absent(key, value) == !entry, "put_if_absent");
        if (!entry) {
            keys[key] = {value, {}};
        }
        break;
    case 4: {
        const auto previous = tree.exchange(key, value);
        require(previous == (entry ? std::optional(entry->value) : std::nullopt), "exchange");
        keys[key] = {value, {}};
        break;
    }
    case 5: {
        const std::size_t size = tree.append(key, value);
        require(size == (entry ? entry->value.size() : 0) + value.size(), "append");
        if (!value.empty()) {
            keys[key].value += value;
        }
        break;
    }
    case 6:
        count_up(tree, keys, key);
        break;
    case 7:
        require(tree.get(key) == (entry ? std::optional(entry->value) : std::nullopt), "get");
        break;
    default:
        change_key(tree, keys, key);
        break;
    }
}

void ModelSteps::count_up(BTree tree, Keys<std::string>& keys, const std::string& key)
{
    auto* const entry = find(keys, key);
    const bool number = !entry || entry->value == "1" || entry->value == "-5";
    if (!number) {
        return;
    }
    const std::int64_t sum = (entry ? std::stoll(entry->value) : 0) + 6;
    require(tree.increment(key, 6) == sum, "increment");
    keys[key].value = std::to_string(sum);
}

void ModelSteps::change_list(const std::string& name, ListKeys& keys)
{
    List list = tx_.list(name);
    const std::string key = this->key();
    const std::string value = this->value();
    auto* const entry = find(keys, key);
    const auto pop = [&](bool front) {
        const auto popped = front ? list.pop_front(key) : list.pop_back(key);
        require(popped.has_value() == (entry != nullptr), "pop");
        if (entry) {
            std::deque<std::string>& elements = entry->value;
            require(*popped == (front ? elements.front() : elements.back()), "pop");
            front ? elements.pop_front() : elements.pop_back();
        }
    };
    switch (pick(9)) {
    case 0:
        list.push_front(key, value);
        keys[key].value.push_front(value);
        break;
    case 1:
    case 2:
        list.push_back(key, {value, "second"});
        keys[key].value.insert(keys[key].value.end(), {value, "second"});
        break;
    case 3:
    case 4:
        pop(pick(2) == 0);
        break;
    case 5:
    case 6:
    case 7:
        change_elements(list, keys, key);
        break;
    default:
        change_key(list, keys, key);
        break;
    }
    remove_if_empty(keys, key);
    require(list.size(key) == (keys.contains(key) ? keys[key].value.size() : 0), "size");
}

void ModelSteps::change_elements(List list, ListKeys& keys, const std::string& key)
{
    auto* const entry = find(keys, key);
    const std::string value = this->value();
    std::deque<std::string> none;
    std::deque<std::string>& elements = entry ? entry->value : none;
    const std::int64_t at = index(elements.size());
    const auto size = static_cast<std::int64_t>(elements.size());
    const std::int64_t place = at < 0 ? at + size : at;
    const bool inside = place >= 0 && place < size;
    switch (pick(6)) {
    case 0:
        require(
            list.at(key, at) ==
                (inside ? std::optional(elements[static_cast<std::size_t>(place)]) : std::nullopt),
            "at");
        break;
    case 1:
        if (inside) {
            list.set(key, at, value);
            elements[static_cast<std::size_t>(place)] = value;
        }
        break;
    case 2:
        if (at >= 0 && at <= size && size > 0) {
            list.insert(key, at, value);
            elements.insert(elements.begin() + at, value);
        }
        break;
    case 3: {
        const auto had = static_cast<std::size_t>(std::ranges::count(elements, value));
        require(list.remove(key, value, 0) == had, "remove");
        std::erase(elements, value);
        break;
    }
    case 4: {
        const auto [first, last] = bounds(at, at + 2, elements.size());
        const std::vector<std::string> expected(
            elements.begin() + static_cast<std::ptrdiff_t>(first),
            elements.begin() + static_cast<std::ptrdiff_t>(last));
        if (at < 0 && at + 2 >= 0) {
            break;  // from the end towards the beginning
        }
        require(list.range(key, at, at + 2).to_vector() == expected, "range");
        break;
    }
    default: {
        const std::int64_t end = index(elements.size());
        const auto [first, last] = bounds(at, end, elements.size());
        list.trim(key, at, end);
        elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(last), elements.end());
        elements.erase(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(first));
        break;
    }
    }
}

}  // namespace keywatch::test
