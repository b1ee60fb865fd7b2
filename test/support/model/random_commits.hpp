// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/contract/contract_checker.hpp"
#include "support/loop/event_loop.hpp"

#include <keywatch/keywatch.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test {

using Random = std::mt19937_64;

/// Returns a random number from 0 up to, but excluding, `end`.
inline std::size_t below(Random& random, std::size_t end)
{
    return random() % end;
}

/// Makes random transactions, and records the messages that they must have made. It computes those
/// from a model of its own, not from the library.
class RandomCommits {
public:
    explicit RandomCommits(Random& random) : random_(random) {}

    /// Makes one transaction. Some throw, and some change nothing.
    Task commit(Database db);
    /// Makes several transactions at once, which are queued.
    Task commit_some(Database db, std::size_t count);

    /// Returns the commits that were acknowledged, in order.
    const std::vector<contract::Made>& history() const { return history_; }

private:
    using Name = std::pair<Structure, std::string>;
    struct State {
        std::set<Name> buckets;
        std::map<std::pair<std::string, std::string>, std::string> values;
        std::map<std::pair<std::string, std::string>, std::set<std::string>> sets;
    };
    class Step;

    void acknowledged(Revision revision, std::vector<OwnedMessage> messages);

    Random& random_;
    State state_;
    std::vector<contract::Made> history_;
};

/// Returns selectors of all kinds, for what RandomCommits writes.
Selectors random_selectors(Random& random);
Filter random_filter(Random& random);

}  // namespace keywatch::test
