// SPDX-License-Identifier: BSL-1.0
#include "model_state.hpp"

#include <sstream>
#include <stdexcept>

namespace keywatch::test {

namespace {

[[noreturn]] void refuse(const Message& message, const char* why)
{
    std::ostringstream text;
    text << why << ": " << message.revision << '.' << message.index << ' ' << message.structure
         << ' ' << message.bucket << ' ' << message.operation << ' ' << message.key << " '"
         << message.value << '\'';
    throw std::logic_error(text.str());
}

void require(bool holds, const Message& message, const char* what)
{
    if (!holds) {
        refuse(message, what);
    }
}

template <class Keys>
auto& entry_of(Keys& keys, const Message& message)
{
    const auto at = keys.find(std::string(message.key));
    require(at != keys.end(), message, "there is no such key");
    return at->second;
}

std::size_t size_of(const std::string&)
{
    return 0;
}
template <class Container>
std::size_t size_of(const Container& container)
{
    return container.size();
}

// Operations that all structures have.

template <class Keys>
bool apply_to_key(Keys& keys, const Message& message)
{
    if (message.operation == Operation::erase) {
        const auto& entry = entry_of(keys, message);
        const std::size_t size = size_of(entry.value);
        require(message.count.value_or(0) == size, message, "another number of elements");
        const bool due = entry.expired(message.time);
        require(message.cause != Cause::expired || due, message, "it has not expired");
        require(message.cause == Cause::expired || !due, message, "it has expired before");
        keys.erase(std::string(message.key));
        return true;
    }
    if (message.operation == Operation::ttl) {
        auto& entry = entry_of(keys, message);
        require(entry.deadline != message.deadline, message, "nothing changes");
        entry.deadline = message.deadline;
        return true;
    }
    require(message.cause == Cause::user, message, "only keys expire");
    return false;
}

void apply_to(ModelState::Keys<std::string>& keys, const Message& message)
{
    const auto at = keys.find(std::string(message.key));
    if (message.previous) {
        require(at != keys.end() && at->second.value == *message.previous, message,
                "another previous value");
    }
    if (!apply_to_key(keys, message)) {
        require(message.operation == Operation::put, message, "no operation of a BTree");
        keys[std::string(message.key)] = {std::string(message.value), message.deadline};
    }
}

std::deque<std::string>::iterator element_at(std::deque<std::string>& list, const Message& message)
{
    require(message.list_index && *message.list_index < list.size(), message, "no such index");
    return list.begin() + static_cast<std::ptrdiff_t>(*message.list_index);
}

void trim(std::deque<std::string>& list, const Message& message)
{
    require(message.list_index && message.count, message, "a trim without a range");
    const auto first = static_cast<std::ptrdiff_t>(*message.list_index);
    const auto kept = static_cast<std::ptrdiff_t>(*message.count);
    const auto size = static_cast<std::ptrdiff_t>(list.size());
    require(first + kept <= size && kept < size, message, "a trim that trims nothing");
    require(kept > 0, message, "a trim that leaves nothing, which is an erase");
    list.erase(list.begin() + first + kept, list.end());
    list.erase(list.begin(), list.begin() + first);
}

void apply_to_list(std::deque<std::string>& list, const Message& message)
{
    const std::string value(message.value);
    switch (message.operation) {
    case Operation::push_front:
        list.push_front(value);
        break;
    case Operation::push_back:
        list.push_back(value);
        break;
    case Operation::pop_front:
        require(!list.empty() && list.front() == value, message, "another first element");
        list.pop_front();
        break;
    case Operation::pop_back:
        require(!list.empty() && list.back() == value, message, "another last element");
        list.pop_back();
        break;
    case Operation::insert:
        require(message.list_index && *message.list_index <= list.size(), message, "no such index");
        list.insert(list.begin() + static_cast<std::ptrdiff_t>(*message.list_index), value);
        break;
    case Operation::set:
        require(!message.previous || *message.previous == *element_at(list, message), message,
                "another previous value");
        *element_at(list, message) = value;
        break;
    case Operation::remove:
        require(*element_at(list, message) == value, message, "another element");
        list.erase(element_at(list, message));
        break;
    case Operation::trim:
        trim(list, message);
        break;
    default:
        refuse(message, "no operation of a list");
    }
}

void apply_to_set(std::set<std::string>& set, const Message& message)
{
    const std::string member(message.value);
    switch (message.operation) {
    case Operation::add:
        require(set.insert(member).second, message, "it is a member already");
        break;
    case Operation::remove:
        require(set.erase(member) == 1, message, "it is no member");
        break;
    default:
        refuse(message, "no operation of a set");
    }
}

void apply_to_sorted_set(std::map<std::string, double>& set, const Message& message)
{
    const std::string member(message.value);
    const auto at = set.find(member);
    if (message.operation == Operation::add) {
        require(at == set.end() && message.score, message, "it is a member already");
        set[member] = *message.score;
        return;
    }
    require(at != set.end(), message, "it is no member");
    require(message.previous_score == at->second, message, "another score before");
    if (message.operation == Operation::rescore) {
        require(message.score && *message.score != at->second, message, "the same score");
        at->second = *message.score;
    } else {
        require(message.operation == Operation::remove, message, "no operation of a sorted set");
        set.erase(at);
    }
}

/// A collection exists as long as it has elements.
template <class Value, class Apply>
void apply_to_collection(ModelState::Keys<Value>& keys, const Message& message, Apply apply_to_it)
{
    if (!apply_to_key(keys, message)) {
        auto& entry = keys[std::string(message.key)];
        apply_to_it(entry.value, message);
        if (entry.value.empty()) {
            keys.erase(std::string(message.key));
        }
    }
}

template <class Buckets>
void apply_to_bucket(Buckets& buckets, const Message& message)
{
    const std::string name(message.bucket);
    if (message.operation == Operation::bucket_created) {
        require(!buckets.contains(name), message, "the bucket is there already");
        buckets[name];
    } else {
        require(buckets.erase(name) == 1, message, "there is no such bucket");
    }
}

}  // namespace

void apply(ModelState& state, const Message& message)
{
    const bool of_bucket = message.operation == Operation::bucket_created ||
                           message.operation == Operation::bucket_deleted;
    state.each_structure([&](Structure structure, auto& buckets) {
        if (structure != message.structure) {
            return;
        }
        if (of_bucket) {
            apply_to_bucket(buckets, message);
            return;
        }
        const auto at = buckets.find(std::string(message.bucket));
        require(at != buckets.end(), message, "there is no such bucket");
        using Keys = std::remove_reference_t<decltype(at->second)>;
        if constexpr (std::is_same_v<Keys, ModelState::Keys<std::string>>) {
            apply_to(at->second, message);
        } else if constexpr (std::is_same_v<Keys, ModelState::Keys<std::deque<std::string>>>) {
            apply_to_collection(at->second, message, apply_to_list);
        } else if constexpr (std::is_same_v<Keys, ModelState::Keys<std::set<std::string>>>) {
            apply_to_collection(at->second, message, apply_to_set);
        } else {
            apply_to_collection(at->second, message, apply_to_sorted_set);
        }
    });
}

}  // namespace keywatch::test
