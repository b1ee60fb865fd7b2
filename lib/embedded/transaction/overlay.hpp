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

namespace keywatch::embedded {

/// The writes of all executed transactions that may not be durable yet: the newest value of every
/// key they wrote. Used only by the holder of the writer lock.
class Overlay {
public:
    struct Entry {
        WriteSet::Value value;
        Revision revision;
    };
    /// Keys and values point into the write sets that are kept.
    using Map = std::map<std::string_view, Entry, std::less<>>;

    /// Adds the writes of a transaction. If it throws, nothing was added.
    void add(Revision revision, std::shared_ptr<const WriteSet> writes);
    /// Removes the writes through this revision, which the store now shows.
    void prune(Revision durable);
    const Map& map() const noexcept { return map_; }

private:
    Map map_;
    std::deque<std::pair<Revision, std::shared_ptr<const WriteSet>>> kept_;
};

}  // namespace keywatch::embedded
