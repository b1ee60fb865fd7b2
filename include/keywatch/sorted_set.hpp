// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/range.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
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

/// A member of a sorted set with its score, as an element of a range.
struct ScoredMember {
    /// The member. Any bytes; may be empty.
    std::string_view member;
    /// The score. Any number except NaN. Minus zero is stored as zero.
    double score;

    /// @cond internal
    operator std::pair<std::string, double>() const { return {std::string(member), score}; }
    /// @endcond
};

/// @cond internal
namespace detail {
template <>
struct Owned<ScoredMember> {
    using Type = std::pair<std::string, double>;
};
}  // namespace detail
/// @endcond

/// A range of scores from `min` to `max`, each bound inclusive or exclusive. All scores by default.
struct ScoreRange {
    /// The smallest score.
    double min = -std::numeric_limits<double>::infinity();
    /// The largest score.
    double max = std::numeric_limits<double>::infinity();
    /// True to exclude scores equal to `min`.
    bool exclude_min = false;
    /// True to exclude scores equal to `max`.
    bool exclude_max = false;
};

/// The parameters of a scan over members.
struct MemberScan {
    /// Number of members skipped at the beginning.
    std::uint64_t offset = 0;
    /// Largest number of members.
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    /// True to scan from the last member to the first.
    bool reverse = false;
};

/// A read-only view of a bucket of sorted sets: each key has members, each with a score. Members
/// are ordered by score, and members with the same score by their bytes.
///
/// An empty key, an expired key and an empty sorted set never exist.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Once the transaction has deleted the bucket, every use throws
/// `Error::bucket_not_found`. Thread safety: none. Any member function may throw `Error::damaged`.
///
/// Costs: with n members, finding a rank, or the member of a rank, takes about n / 8192 + 128
/// iterator steps on average. Everything else takes a few reads, plus one step for each member
/// returned. A set of few members that is changed constantly takes several times as long until
/// LevelDB has written its memory table, because erased entries in that table are stepped over.
class SortedSetView {
public:
    /// Returns the score of a member, or nothing if it does not exist. Two reads.
    std::optional<double> score(std::string_view key, std::string_view member) const;

    /// Returns the number of members before this one, or nothing if it does not exist.
    std::optional<std::uint64_t> rank(std::string_view key, std::string_view member) const;
    /// Returns the number of members after this one, or nothing if it does not exist.
    std::optional<std::uint64_t> reverse_rank(std::string_view key, std::string_view member) const;

    /// Returns the first member: the one with the smallest score.
    std::optional<std::pair<std::string, double>> min(std::string_view key) const;
    /// Returns the last member: the one with the largest score.
    std::optional<std::pair<std::string, double>> max(std::string_view key) const;

    /// Returns the number of members with such a score. Costs as much as two ranks. Errors:
    /// `Error::invalid_score` for NaN.
    std::uint64_t count_by_score(std::string_view key, ScoreRange scores) const;

    /// Returns all members in order.
    Range<ScoredMember> members(std::string_view key) const;

    /// Returns the members whose rank is from `first` to `last`, both inclusive. Negative ranks
    /// count from the end: -1 is the last member. Ranks beyond the ends are ignored. Costs as much
    /// as finding the first rank, and less close to either end.
    Range<ScoredMember> range_by_rank(std::string_view key, std::int64_t first,
                                      std::int64_t last) const;

    /// Returns the members with such a score, in order. An offset costs no more than a rank.
    /// Errors: `Error::invalid_score` for NaN.
    Range<ScoredMember> range_by_score(std::string_view key, ScoreRange scores,
                                       MemberScan scan = {}) const;

    /// Returns the members with first <= member < last, ordered by their bytes regardless of their
    /// scores. Without `last`, returns all members from `first` on. An offset is stepped over.
    Range<ScoredMember> range_by_member(std::string_view key, std::string_view first = {},
                                        std::optional<std::string_view> last = std::nullopt,
                                        MemberScan scan = {}) const;

    /// Returns the number of members of the sorted set, or 0 if there is none. One read.
    std::uint64_t size(std::string_view key) const;

    /// Returns true if the key has a sorted set. One read.
    bool has_key(std::string_view key) const;

    /// Returns the keys that match a pattern, in order. For the syntax see
    /// `Snapshot::buckets(pattern)`. All keys of the bucket are read, but not their members.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// Returns the remaining time to live, or nothing if the key does not exist or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

protected:
    /// @cond internal
    friend class Snapshot;
    SortedSetView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : workspace_(std::move(workspace)), bucket_(bucket)
    {
    }

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// A read-write view of a bucket of sorted sets.
///
/// One message for each member that changed, in the order of the changes: `add` with the score,
/// `rescore` with the new and the previous score, `remove` with the previous score. The member is
/// the `value`. A call that changes nothing produces no message and does not create the key.
///
/// Errors: `Error::empty_key` where something would be added; `Error::invalid_score` for a score
/// that is NaN; `Error::transaction_too_large`, after which the transaction fails even if its
/// function catches the error. After any other error the sorted set is unchanged.
class SortedSet : public SortedSetView {
public:
    /// Sets the score of a member, and adds the member if it does not exist. Returns true if it was
    /// new. Writes its score, its place in the order, and two counts for ranks.
    bool add(std::string_view key, std::string_view member, double score);

    /// Same as above, for several members (a range of pairs, or a range of another sorted set), one
    /// after the other. Returns how many were new. If any score is NaN, no member is added.
    template <class Members>
    std::uint64_t add(std::string_view key, Members&& members)
    {
        std::vector<std::pair<std::string, double>> scored;
        for (auto&& [member, score] : members) {
            scored.emplace_back(member, score);
        }
        return add_all(key, scored);
    }
    /// Same as above, for a braced list.
    std::uint64_t add(std::string_view key,
                      std::initializer_list<std::pair<std::string_view, double>> members)
    {
        return add<>(key, members);
    }

    /// Adds `by` to the score of a member (0 if it does not exist) and returns the result. Errors:
    /// `Error::invalid_score` if the result would be NaN: infinity minus infinity.
    double increment(std::string_view key, std::string_view member, double by);

    /// Removes a member. Returns true if it existed.
    bool remove(std::string_view key, std::string_view member);

    /// Removes and returns the first member. It is found immediately, however many members have
    /// been removed before.
    std::optional<std::pair<std::string, double>> pop_min(std::string_view key);
    /// Removes and returns the last member.
    std::optional<std::pair<std::string, double>> pop_max(std::string_view key);

    /// Removes the members that `range_by_rank` would return, in order. Returns how many were
    /// removed.
    std::uint64_t remove_by_rank(std::string_view key, std::int64_t first, std::int64_t last);
    /// Removes the members with such a score, in order. Returns how many were removed.
    std::uint64_t remove_by_score(std::string_view key, ScoreRange scores);

    /// Removes the whole sorted set of a key. Returns true if there was one. If so, produces one
    /// `erase` message with its size as `count`. This is one small write, however large the sorted
    /// set is; the space is reclaimed in the background.
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
    using SortedSetView::SortedSetView;

    std::uint64_t add_all(std::string_view key,
                          const std::vector<std::pair<std::string, double>>& members);
};

}  // namespace keywatch
