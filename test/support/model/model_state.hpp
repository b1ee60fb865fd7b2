// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/time.hpp>
#include <keywatch/transaction.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace keywatch::test {

/// The contents of a database, in plain containers.
struct ModelState {
    template <class Value>
    struct Entry {
        Value value;
        std::optional<Time> deadline;

        bool expired(Time now) const { return deadline && *deadline <= now; }
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    template <class Value>
    using Keys = std::map<std::string, Entry<Value>>;
    template <class Value>
    using Buckets = std::map<std::string, Keys<Value>>;

    Buckets<std::string> btrees;
    Buckets<std::deque<std::string>> lists;
    Buckets<std::set<std::string>> sets;
    Buckets<std::map<std::string, double>> sorted_sets;

    friend bool operator==(const ModelState&, const ModelState&) = default;

    /// Calls `visit(structure, buckets)` for each structure.
    template <class Visit>
    void each_structure(Visit visit)
    {
        visit(Structure::btree, btrees);
        visit(Structure::list, lists);
        visit(Structure::set, sets);
        visit(Structure::sorted_set, sorted_sets);
    }

    bool has_bucket(Structure structure, const std::string& name) const;
    void remove_expired(Time now);
    /// Returns the number of keys whose deadline has passed.
    std::size_t count_expired(Time now) const;
};

/// Returns what a snapshot shows. Deadlines are computed from the time left at `now`.
ModelState read_state(const Snapshot& snapshot, Time now);

/// Returns one line per key, for comparison by eye.
std::string describe(const ModelState& state);

/// Applies a message as a consumer would that has only the messages. Throws std::logic_error if it
/// does not fit: then it is imprecise, or one before it is missing.
void apply(ModelState& state, const Message& message);

}  // namespace keywatch::test
