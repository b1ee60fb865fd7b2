// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "write_set.hpp"

#include <keywatch/position.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

namespace keywatch::engine {

/// What was executed but may not be durable yet, over all waiting transactions: the newest value of
/// every key they wrote. Used by whoever has the writer's turn, and nobody else.
class Overlay {
public:
    struct Entry {
        WriteSet::Value value;
        Revision revision;
    };
    /// Keys and values are those of the write sets that are kept.
    using Map = std::map<std::string_view, Entry, std::less<>>;

    /// If it throws, nothing was added.
    void add(Revision revision, std::shared_ptr<const WriteSet> writes);
    /// Forgets what the engine itself shows by now.
    void prune(Revision durable);
    const Map& map() const noexcept { return map_; }

private:
    Map map_;
    std::deque<std::pair<Revision, std::shared_ptr<const WriteSet>>> kept_;
};

}  // namespace keywatch::engine
