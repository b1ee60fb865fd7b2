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

/// @cond internal
namespace detail {

/// Copies all members, because the bytes an element of a range points to may be invalid after its
/// next step.
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

/// A read-only view of a bucket of sets: each key has members, which are distinct byte strings
/// ordered by their bytes.
///
/// Two members are equal only if all their bytes are. An empty member is a member like any other.
/// An empty key, an expired key and an empty set never exist.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Once the transaction has deleted the bucket, every use throws
/// `Error::bucket_not_found`. Thread safety: none. Any member function may throw `Error::damaged`.
class SetView {
public:
    /// Returns the number of members of the set, or 0 if there is no set. One read.
    std::uint64_t size(std::string_view key) const;

    /// Returns true if the key has a set. One read.
    bool has_key(std::string_view key) const;

    /// Returns the keys that match a pattern, in order. For the syntax see
    /// `Snapshot::buckets(pattern)`. All keys of the bucket are read, but not their members.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// Returns the remaining time to live, or nothing if the key does not exist or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

    /// Returns true if the set has the member. Two reads, however large the set is.
    bool contains(std::string_view key, std::string_view member) const;

    /// Returns the same for several members (a range of anything convertible to
    /// `std::string_view`), in their order. One read more than there are members.
    template <ManyBytes Members>
    std::vector<bool> contains_many(std::string_view key, Members&& members) const
    {
        return look_up(key, detail::copy_members(members));
    }
    /// Same as above, for a braced list.
    std::vector<bool> contains_many(std::string_view key,
                                    std::initializer_list<std::string_view> members) const
    {
        return look_up(key, detail::copy_members(members));
    }

    /// Returns the members in order that begin with `prefix`. An empty prefix selects all members.
    /// Members are read when they are asked for, so the first members of a huge set cost little.
    Range<std::string_view> members(std::string_view key, std::string_view prefix = {}) const;

    // Combinations of two sets, in order, each member once. Nothing is copied, so the sets may be
    // huge. The second set may be in another bucket. If one of the two sets is small, an
    // intersection costs little however large the other set is. A difference costs little if the
    // first set is small.

    /// Returns the members of either set.
    Range<std::string_view> unite(std::string_view key, std::string_view other_key) const;
    /// Same as above, with a set of another bucket.
    Range<std::string_view> unite(std::string_view key, const SetView& other,
                                  std::string_view other_key) const;
    /// Returns the members of both sets.
    Range<std::string_view> intersection(std::string_view key, std::string_view other_key) const;
    /// Same as above, with a set of another bucket.
    Range<std::string_view> intersection(std::string_view key, const SetView& other,
                                         std::string_view other_key) const;
    /// Returns the members of the first set that are not in the second.
    Range<std::string_view> difference(std::string_view key, std::string_view other_key) const;
    /// Same as above, with a set of another bucket.
    Range<std::string_view> difference(std::string_view key, const SetView& other,
                                       std::string_view other_key) const;

protected:
    /// @cond internal
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

/// A read-write view of a bucket of sets.
///
/// Each member that is added produces one `add` message, and each member that is removed one
/// `remove` message, with the member as `value`. A call that changes nothing (adding a member that
/// exists, removing one that does not) writes nothing, produces no message and does not create the
/// key.
///
/// Errors: `Error::empty_key` where something would be added; `Error::transaction_too_large`, after
/// which the transaction fails even if its function catches the error. After any other error the
/// set is unchanged.
class Set : public SetView {
public:
    /// Adds a member. Returns true if it was new.
    bool add(std::string_view key, std::string_view member);
    /// Adds several members (a range of anything convertible to `std::string_view`). Returns how
    /// many were new. The range is read to its end first, so it may be a range of this set.
    template <ManyBytes Members>
    std::uint64_t add(std::string_view key, Members&& members)
    {
        return add_all(key, detail::copy_members(members));
    }
    /// Same as above, for a braced list.
    std::uint64_t add(std::string_view key, std::initializer_list<std::string_view> members)
    {
        return add_all(key, detail::copy_members(members));
    }

    /// Removes a member. Returns true if it existed.
    bool remove(std::string_view key, std::string_view member);
    /// Removes several members, passed as to `add`. Returns how many existed.
    template <ManyBytes Members>
    std::uint64_t remove(std::string_view key, Members&& members)
    {
        return remove_all(key, detail::copy_members(members));
    }
    /// Same as above, for a braced list.
    std::uint64_t remove(std::string_view key, std::initializer_list<std::string_view> members)
    {
        return remove_all(key, detail::copy_members(members));
    }

    /// Removes and returns the smallest member, or returns nothing if there is none. One `remove`
    /// message. The cost does not depend on the size of the set or on how many members were popped
    /// before.
    std::optional<std::string> pop(std::string_view key);

    /// Moves a member from one set to another. Returns true if the first set had it. If so,
    /// produces one `remove` message and, unless the second set already had the member, one `add`
    /// message, all in the commit of the transaction. Moving a member from a set to itself changes
    /// nothing.
    bool move(std::string_view from_key, std::string_view to_key, std::string_view member);
    /// Same as above, to a set of another bucket. `other` must be a view of the same transaction.
    bool move(std::string_view key, Set& other, std::string_view other_key,
              std::string_view member);

    /// Removes the whole set of a key. Returns true if there was one. If so, produces one `erase`
    /// message with its size as `count`. This is one small write, however large the set is; the
    /// space is reclaimed in the background.
    bool erase(std::string_view key);

    /// Sets the time to live of the key, counted from now, to the millisecond. Returns true if the
    /// key exists. Produces one `ttl` message with the deadline, unless the deadline is unchanged.
    /// Errors: `Error::invalid_ttl`.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// Removes the deadline of the key. Returns true if the key exists and had a deadline. If so,
    /// produces one `ttl` message without a deadline.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    using SetView::SetView;
    std::uint64_t add_all(std::string_view key, const std::vector<std::string>& members);
    std::uint64_t remove_all(std::string_view key, const std::vector<std::string>& members);
};

}  // namespace keywatch
