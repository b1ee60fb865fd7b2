// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "contract_checker.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Streams of messages as watchers receive them, written out.
namespace keywatch::test::contract {

inline Message change(Operation operation, std::string_view bucket, std::string_view key,
                      std::string_view value = {})
{
    Message message;
    message.operation = operation;
    message.bucket = bucket;
    message.key = key;
    message.value = value;
    return message;
}

/// A history that is written out message by message.
class History {
public:
    Revision commit(const std::vector<Message>& messages)
    {
        Made made{made_.size() + 1, {}};
        for (Message each : messages) {
            each.revision = made.revision;
            each.first_revision = made.revision;
            each.index = static_cast<std::uint32_t>(made.messages.size());
            made.messages.emplace_back(each);
        }
        made_.push_back(std::move(made));
        return made_.back().revision;
    }
    const std::vector<Made>& made() const { return made_; }

private:
    std::vector<Made> made_;
};

/// A correct stream: keys that begin with `k` in bucket b, from the beginning.
struct Stream {
    History history;
    Watched watched{in("b", prefix("k")), Filter(), Overflow::catch_up, 0, false};
    Observed observed;

    Stream()
    {
        history.commit({change(Operation::bucket_created, "b", "")});
        history.commit({change(Operation::put, "b", "k1", "1"), change(Operation::put, "b", "x"),
                        change(Operation::put, "b", "k2", "2")});
        history.commit({change(Operation::put, "c", "k1", "other")});
        history.commit({change(Operation::put, "b", "k1", "3")});
        history.commit({change(Operation::erase, "b", "k2"), change(Operation::put, "b", "k3")});
        history.commit({change(Operation::put, "b", "k1", "4")});
        give(2, 0);
        give(2, 2);
        give(4, 0);
        give(5, 0);
        give(5, 1);
        give(6, 0);
        mark();
        observed.ends = 1;
        observed.reason = EndReason::database_closed;
        observed.end_position = 6;
        observed.closed_at = 6;
        observed.positions = {{0, 1}, {2, 3}, {3, 4}, {6, 6}};
    }

    void give(Revision revision, std::size_t index)
    {
        observed.messages.push_back(history.made()[revision - 1].messages[index]);
    }
    /// Marks the last message of each commit.
    void mark()
    {
        std::vector<OwnedMessage>& all = observed.messages;
        for (std::size_t at = 0; at < all.size(); ++at) {
            change_at(at, [&](Message& message) {
                message.last_in_commit =
                    at + 1 == all.size() || all[at + 1]->revision != message.revision;
            });
        }
    }
    template <class Change>
    void change_at(std::size_t at, Change change)
    {
        Message message = *observed.messages[at];
        change(message);
        observed.messages[at] = OwnedMessage(message);
    }
    void insert(std::size_t at, const Message& message)
    {
        observed.messages.insert(observed.messages.begin() + static_cast<std::ptrdiff_t>(at),
                                 OwnedMessage(message));
    }
    void erase(std::size_t at)
    {
        observed.messages.erase(observed.messages.begin() + static_cast<std::ptrdiff_t>(at));
    }
    std::vector<std::string> check() const
    {
        return test::contract::check(history.made(), watched, observed);
    }
};

inline Message marker(Operation operation, Revision first, Revision last, std::uint64_t count = 0)
{
    Message message;
    message.operation = operation;
    message.first_revision = first;
    message.revision = last;
    message.last_in_commit = true;
    if (operation == Operation::gap) {
        message.count = count;
    }
    return message;
}

/// Returns the same stream as the policies that skip messages deliver it.
inline Stream skipping()
{
    Stream stream;
    stream.watched.overflow = Overflow::skip;
    stream.observed.messages.resize(2, stream.observed.messages[0]);
    stream.insert(2, marker(Operation::gap, 4, 5, 3));
    stream.give(6, 0);
    stream.mark();
    stream.observed.positions = {{0, 1}, {3, 5}};
    return stream;
}

inline Stream coalescing()
{
    Stream stream;
    stream.watched.overflow = Overflow::latest;
    stream.observed.messages.clear();
    stream.give(5, 0);
    stream.give(5, 1);
    stream.give(6, 0);
    stream.mark();
    stream.change_at(0, [](Message& message) { message.first_revision = 2; });
    stream.change_at(2, [](Message& message) { message.first_revision = 2; });
    stream.observed.positions = {{0, 1}};
    return stream;
}

/// Returns a stream that begins with a snapshot at revision 4.
inline Stream with_state()
{
    Stream stream;
    stream.watched.snapshot = true;
    stream.observed.messages.erase(stream.observed.messages.begin(),
                                   stream.observed.messages.begin() + 3);
    stream.insert(0, marker(Operation::synced, 4, 4));
    for (const auto& [key, value] : {std::pair("k2", "2"), std::pair("k1", "3")}) {
        Message message = change(Operation::put, "b", key, value);
        message.snapshot = true;
        message.revision = 4;
        stream.insert(0, message);
    }
    stream.change_at(1, [](Message& message) { message.last_in_commit = true; });
    stream.observed.positions = {{0, 0}, {3, 4}};
    return stream;
}

}  // namespace keywatch::test::contract
