// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/range.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::structures {
class Workspace;
}

namespace [[gnu::visibility("default")]] keywatch {

/// Reads a bucket of sets: each key has members, bytes, in their order and none twice.
///
/// A key that is empty, or whose time is over, is never there; nor is an empty set.
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`, and `Error::bucket_not_found` once the transaction has deleted
/// the bucket. Thread safety: none. Any member may throw `Error::damaged`.
class SetView {
public:
    /// How many members the set of this key has; 0 if there is none. One read.
    std::uint64_t size(std::string_view key) const;

    /// Whether there is a set of this key. One read.
    bool has_key(std::string_view key) const;

    /// The keys that match a pattern, in order; see `Snapshot::buckets(pattern)` for what it may
    /// have in it. All keys of the bucket are looked at, their members are not.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// The time that the key still has; nothing if it is not there or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

protected:
    /// @cond no part of the interface
    friend class Snapshot;
    SetView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : workspace_(std::move(workspace)), bucket_(bucket)
    {
    }

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// Reads and writes a bucket of sets.
///
/// Errors: `Error::empty_key` where something would be added; `Error::transaction_too_large`, by
/// which the transaction is lost even if its function goes on. After any other error the set is as
/// it was.
class Set : public SetView {
public:
    /// Removes the set of this key with all it holds, and tells whether there was one: then one
    /// `erase` message with its size as `count`. However large it is, this is one small write; its
    /// space comes back in the background.
    bool erase(std::string_view key);

    /// From now on the key has this time to live, to the millisecond; tells whether it is there.
    /// One `ttl` message with the deadline, unless it is what it was. `Error::invalid_ttl`.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// The key lives for ever; tells whether it is there and had a deadline: then one `ttl` message
    /// without one.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    using SetView::SetView;
};

}  // namespace keywatch
