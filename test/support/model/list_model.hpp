// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>

namespace keywatch::test {

using Elements = std::deque<std::string>;

/// Lists as a consumer builds them from messages alone. It checks every message: what it says about
/// the state before it must be true.
class ListReplay {
public:
    void operator()(const Message& message)
    {
        Elements& list = lists_[std::string(message.key)];
        apply(message, list);
        if (list.empty()) {
            lists_.erase(std::string(message.key));
        }
    }

    /// Returns the lists that are not empty, by key.
    const std::map<std::string, Elements>& lists() const { return lists_; }

private:
    static void demand(bool condition, const char* what)
    {
        if (!condition) {
            throw std::runtime_error(what);
        }
    }

    static void apply(const Message& message, Elements& list)
    {
        const std::string value(message.value);
        const std::size_t index = message.list_index.value_or(0);
        const auto at = [&](std::size_t limit) {
            demand(message.list_index && index < limit, "a message with a wrong index");
            return list.begin() + static_cast<std::ptrdiff_t>(index);
        };
        switch (message.operation) {
        case Operation::push_front:
            list.push_front(value);
            break;
        case Operation::push_back:
            list.push_back(value);
            break;
        case Operation::pop_front:
            demand(!list.empty() && list.front() == value, "another element popped in front");
            list.pop_front();
            break;
        case Operation::pop_back:
            demand(!list.empty() && list.back() == value, "another element popped at the back");
            list.pop_back();
            break;
        case Operation::insert:
            list.insert(at(list.size() + 1), value);
            break;
        case Operation::set:
            demand(*at(list.size()) == message.previous, "another element replaced");
            demand(value != message.previous, "a set that changed nothing");
            list[index] = value;
            break;
        case Operation::remove:
            demand(*at(list.size()) == value, "another element removed");
            list.erase(at(list.size()));
            break;
        case Operation::trim:
            demand(message.count.has_value() && *message.count < list.size(), "a trim of nothing");
            demand(*message.count > 0, "a trim that leaves nothing");
            list.erase(list.begin(), at(list.size()));
            list.resize(*message.count);
            break;
        case Operation::erase:
            demand(!list.empty() && message.count == list.size(), "an erase of another size");
            list.clear();
            break;
        default:
            break;  // buckets and deadlines do not change elements
        }
    }

    std::map<std::string, Elements> lists_;
};

}  // namespace keywatch::test
