// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/watch/watch_tools.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

// Models that sorted sets are compared with.
namespace keywatch::test {

using Scored = std::pair<std::string, double>;

/// One sorted set, implemented in the simplest way.
struct SortedModel {
    std::map<std::string, double> scores;

    /// Returns the members ordered by score, then by member.
    std::vector<Scored> in_order() const
    {
        std::vector<Scored> members(scores.begin(), scores.end());
        std::ranges::stable_sort(members, {}, &Scored::second);
        return members;
    }
};

/// Returns everything that a watch from the beginning receives.
inline asio::awaitable<std::vector<OwnedMessage>> messages_of(Database db, std::string bucket)
{
    Recorder recorder;
    Watcher watcher = db.watch(bucket, all(), recorder, watch_from(From::revision(1)));
    const Run run = co_await start(watcher);
    co_await watcher.reached(db.head_revision());
    co_await watcher.stop();
    co_await run.end();
    co_return recorder.messages();
}

/// Returns `<operation> <key> <member> <score> <previous score>`, without the fields that are not
/// set.
inline std::string sorted_line(const Message& message)
{
    std::string line(to_string(message.operation));
    line += ' ' + std::string(message.key) + ' ' + std::string(message.value);
    if (message.score) {
        line += ' ' + std::to_string(*message.score);
    }
    if (message.previous_score) {
        line += " was " + std::to_string(*message.previous_score);
    }
    return line;
}

/// Applies a message to the models. Returns false if that was not possible.
inline bool replay(std::map<std::string, SortedModel>& sets, const Message& message)
{
    std::map<std::string, double>& scores = sets[std::string(message.key)].scores;
    const std::string member(message.value);
    const auto at = scores.find(member);
    const bool there = at != scores.end();
    const bool knows = there && message.previous_score == at->second;
    switch (message.operation) {
    case Operation::add:
        scores[member] = message.score.value();
        return !there && !message.previous_score;
    case Operation::rescore:
        scores[member] = message.score.value();
        return knows && message.score != message.previous_score;
    case Operation::remove:
        scores.erase(member);
        return knows && !message.score;
    case Operation::erase: {
        const bool same = message.count == scores.size();
        scores.clear();
        return same;
    }
    default:
        return message.operation == Operation::bucket_created;
    }
}

}  // namespace keywatch::test
