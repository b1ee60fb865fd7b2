// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/range.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::structures {
class Workspace;
}

namespace [[gnu::visibility("default")]] keywatch {

/// @cond no part of the interface
namespace detail {

/// Copies them all, since what a range points to may be gone with its next step.
template <class Members>
std::vector<std::string> copy_members(Members&& members)
{
    std::vector<std::string> copies;
    for (auto&& each : members) {
        copies.emplace_back(std::string_view(each));
    }
    return copies;
}

}  // namespace detail
/// @endcond

/// Reads a bucket of sets: each key has members, bytes, in their order and none twice.
///
/// Members are the same only if all their bytes are; an empty one is a member like any other. Their
/// order is that of their bytes. A key that is empty, or whose time is over, is never there; nor is
/// an empty set. Lifetime: until the transaction function has returned; after that every use throws
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

    /// Whether the set of this key has the member. Two reads, however large it is.
    bool contains(std::string_view key, std::string_view member) const;

    /// The same of several members (a range of what a `std::string_view` can be made of), in their
    /// order. One read more than members.
    template <ManyBytes Members>
    std::vector<bool> contains_many(std::string_view key, Members&& members) const
    {
        return look_up(key, detail::copy_members(members));
    }
    /// The same, of a list in braces.
    std::vector<bool> contains_many(std::string_view key,
                                    std::initializer_list<std::string_view> members) const
    {
        return look_up(key, detail::copy_members(members));
    }

    /// The members in order, those that begin with `prefix`; all of them if it is empty. They are
    /// read as they are asked for, so the first ones of a huge set cost little.
    Range<std::string_view> members(std::string_view key, std::string_view prefix = {}) const;

    // Of two sets, in order and each member once; nothing is copied, so they may be huge. The
    // second one may lie in another bucket. Where one of the two is small, an intersection costs
    // little however large the other is, and so does a difference if it is the first.

    /// Members of either set.
    Range<std::string_view> unite(std::string_view key, std::string_view other_key) const;
    /// The same with a set of another bucket.
    Range<std::string_view> unite(std::string_view key, const SetView& other,
                                  std::string_view other_key) const;
    /// Members of both sets.
    Range<std::string_view> intersection(std::string_view key, std::string_view other_key) const;
    /// The same with a set of another bucket.
    Range<std::string_view> intersection(std::string_view key, const SetView& other,
                                         std::string_view other_key) const;
    /// Members of the first set that the second one does not have.
    Range<std::string_view> difference(std::string_view key, std::string_view other_key) const;
    /// The same with a set of another bucket.
    Range<std::string_view> difference(std::string_view key, const SetView& other,
                                       std::string_view other_key) const;

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

private:
    std::vector<bool> look_up(std::string_view key, const std::vector<std::string>& members) const;
};

/// Reads and writes a bucket of sets.
///
/// Each member that is new makes one `add` message, each one that is gone a `remove` message, with
/// the member as `value`. What changes nothing (adding what is there, removing what is not) writes
/// nothing, makes no message, and does not create the key.
///
/// Errors: `Error::empty_key` where something would be added; `Error::transaction_too_large`, by
/// which the transaction is lost even if its function goes on. After any other error the set is as
/// it was.
class Set : public SetView {
public:
    /// Adds a member, and tells whether it was new.
    bool add(std::string_view key, std::string_view member);
    /// Adds several members (a range of what a `std::string_view` can be made of), and tells how
    /// many were new. The range is read to its end first, so it may be one of this very set.
    template <ManyBytes Members>
    std::uint64_t add(std::string_view key, Members&& members)
    {
        return add_all(key, detail::copy_members(members));
    }
    /// The same, of a list in braces.
    std::uint64_t add(std::string_view key, std::initializer_list<std::string_view> members)
    {
        return add_all(key, detail::copy_members(members));
    }

    /// Removes a member, and tells whether it was there.
    bool remove(std::string_view key, std::string_view member);
    /// Removes several members, as `add` adds them, and tells how many were there.
    template <ManyBytes Members>
    std::uint64_t remove(std::string_view key, Members&& members)
    {
        return remove_all(key, detail::copy_members(members));
    }
    /// The same, of a list in braces.
    std::uint64_t remove(std::string_view key, std::initializer_list<std::string_view> members)
    {
        return remove_all(key, detail::copy_members(members));
    }

    /// Removes the smallest member and gives it; nothing if there is none. One `remove` message.
    /// It costs the same however large the set is, and however much of it was popped before.
    std::optional<std::string> pop(std::string_view key);

    /// Takes a member from one set to another, and tells whether the first one had it: then one
    /// `remove` message and, unless the second one had it already, one `add` message, in one commit
    /// with all that the transaction does. From a set to itself it changes nothing.
    bool move(std::string_view from_key, std::string_view to_key, std::string_view member);
    /// The same to a set of another bucket, of which `other` is a view of the same transaction.
    bool move(std::string_view key, Set& other, std::string_view other_key,
              std::string_view member);

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
    std::uint64_t add_all(std::string_view key, const std::vector<std::string>& members);
    std::uint64_t remove_all(std::string_view key, const std::vector<std::string>& members);
};

}  // namespace keywatch
