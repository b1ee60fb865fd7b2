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

/// A number from 0 to below `end`.
inline std::size_t below(Random& random, std::size_t end)
{
    return random() % end;
}

/// Makes random transactions, and writes down what messages they must have made. It knows that from
/// a model of its own, not from the library.
class RandomCommits {
public:
    explicit RandomCommits(Random& random) : random_(random) {}

    /// One transaction; some throw, and some change nothing.
    Task commit(Database db);
    /// Several at once, which queue up.
    Task commit_some(Database db, std::size_t count);

    /// The commits that were acknowledged, in order.
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

/// Selectors of all kinds, for what RandomCommits writes.
Selectors random_selectors(Random& random);
Filter random_filter(Random& random);

}  // namespace keywatch::test
