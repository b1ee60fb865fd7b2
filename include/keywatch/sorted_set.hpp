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

/// A member of a sorted set, as a range shows it.
struct ScoredMember {
    /// Any bytes, also none.
    std::string_view member;
    /// Any number but NaN. Minus zero is zero.
    double score;

    /// @cond no part of the interface
    operator std::pair<std::string, double>() const { return {std::string(member), score}; }
    /// @endcond
};

/// @cond no part of the interface
namespace detail {
template <>
struct Owned<ScoredMember> {
    using Type = std::pair<std::string, double>;
};
}  // namespace detail
/// @endcond

/// Which scores: from `min` to `max`, each included or not. All of them by default.
struct ScoreRange {
    /// The smallest one.
    double min = -std::numeric_limits<double>::infinity();
    /// The largest one.
    double max = std::numeric_limits<double>::infinity();
    /// Without those that are equal to `min`.
    bool exclude_min = false;
    /// Without those that are equal to `max`.
    bool exclude_max = false;
};

/// How members are walked over.
struct MemberScan {
    /// Members left out at its beginning.
    std::uint64_t offset = 0;
    /// Largest number of members.
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    /// From the last member to the first.
    bool reverse = false;
};

/// Reads a bucket of sorted sets: each key has members with a score each, in the order of
/// scores; those with the same score in the order of their bytes.
///
/// A key that is empty, or whose time is over, is never there; nor is an empty sorted set.
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`, and `Error::bucket_not_found` once the transaction has deleted
/// the bucket. Thread safety: none. Any member function may throw `Error::damaged`.
///
/// Costs: of n members, to find a rank, or the member of a rank, takes about n / 8192 + 128 steps
/// of an iterator on average. Everything else is a few reads, and a step for each member that is
/// given. A set of few members that is changed without end takes several times as long, until
/// LevelDB has written its memory table: what was erased in there is stepped over.
class SortedSetView {
public:
    /// The score of a member, if it is there. Two reads.
    std::optional<double> score(std::string_view key, std::string_view member) const;

    /// How many members stand before this one, if it is there.
    std::optional<std::uint64_t> rank(std::string_view key, std::string_view member) const;
    /// How many members stand behind this one, if it is there.
    std::optional<std::uint64_t> reverse_rank(std::string_view key, std::string_view member) const;

    /// The first member: the one with the smallest score.
    std::optional<std::pair<std::string, double>> min(std::string_view key) const;
    /// The last member: the one with the largest score.
    std::optional<std::pair<std::string, double>> max(std::string_view key) const;

    /// How many members have such a score. Costs two ranks. `Error::invalid_score` for NaN.
    std::uint64_t count_by_score(std::string_view key, ScoreRange scores) const;

    /// All members, in order.
    Range<ScoredMember> members(std::string_view key) const;

    /// The members whose rank is from `first` to `last`, both included. Negative ones count from
    /// the end: -1 is the last member. What is beyond the ends is left out. Costs the first rank;
    /// close to either end less.
    Range<ScoredMember> range_by_rank(std::string_view key, std::int64_t first,
                                      std::int64_t last) const;

    /// The members with such a score, in order. An offset costs no more than a rank.
    /// `Error::invalid_score` for NaN.
    Range<ScoredMember> range_by_score(std::string_view key, ScoreRange scores,
                                       MemberScan scan = {}) const;

    /// The members with first <= member < last, in the order of their bytes whatever their scores;
    /// to the end if there is no `last`. An offset is walked over.
    Range<ScoredMember> range_by_member(std::string_view key, std::string_view first = {},
                                        std::optional<std::string_view> last = std::nullopt,
                                        MemberScan scan = {}) const;

    /// How many members the sorted set of this key has; 0 if there is none. One read.
    std::uint64_t size(std::string_view key) const;

    /// Whether there is a sorted set of this key. One read.
    bool has_key(std::string_view key) const;

    /// The keys that match a pattern, in order; see `Snapshot::buckets(pattern)` for what it may
    /// have in it. All keys of the bucket are looked at, their members are not.
    Range<std::string_view> keys(std::string_view pattern = "*") const;

    /// The time that the key still has; nothing if it is not there or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

protected:
    /// @cond no part of the interface
    friend class Snapshot;
    SortedSetView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : workspace_(std::move(workspace)), bucket_(bucket)
    {
    }

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// Reads and writes a bucket of sorted sets.
///
/// One message for each member that changed, in the order of the changes: `add` with the score,
/// `rescore` with the score and the one before, `remove` with the score that it had; `value` is the
/// member. What changes nothing makes none, and does not create the key.
///
/// Errors: `Error::empty_key` where something would be added; `Error::invalid_score` for a score
/// that is NaN; `Error::transaction_too_large`, by which the transaction is lost even if its
/// function goes on. After any other error the sorted set is as it was.
class SortedSet : public SortedSetView {
public:
    /// Gives a member this score, and tells whether it is new. Writes its score, its place in the
    /// order, and two counts for ranks.
    bool add(std::string_view key, std::string_view member, double score);

    /// The same of several members (a range of pairs, or of another sorted set), one after the
    /// other; gives how many are new. No score may be NaN, or none of them is added.
    template <class Members>
    std::uint64_t add(std::string_view key, Members&& members)
    {
        std::vector<std::pair<std::string, double>> scored;
        for (auto&& [member, score] : members) {
            scored.emplace_back(member, score);
        }
        return add_all(key, scored);
    }
    /// The same, of a list in braces.
    std::uint64_t add(std::string_view key,
                      std::initializer_list<std::pair<std::string_view, double>> members)
    {
        return add<>(key, members);
    }

    /// Adds to a member's score, 0 if it is not there, and gives the result.
    /// `Error::invalid_score` if it would be NaN: infinity minus infinity.
    double increment(std::string_view key, std::string_view member, double by);

    /// Removes a member, and tells whether it was there.
    bool remove(std::string_view key, std::string_view member);

    /// Removes the first member, and gives it. However many have been removed before, this finds it
    /// at once.
    std::optional<std::pair<std::string, double>> pop_min(std::string_view key);
    /// Removes the last member, and gives it.
    std::optional<std::pair<std::string, double>> pop_max(std::string_view key);

    /// Removes the members that `range_by_rank` would give, in order, and gives how many.
    std::uint64_t remove_by_rank(std::string_view key, std::int64_t first, std::int64_t last);
    /// Removes the members with such a score, in order, and gives how many.
    std::uint64_t remove_by_score(std::string_view key, ScoreRange scores);

    /// Removes the sorted set of this key with all it holds, and tells whether there was one: then
    /// one `erase` message with its size as `count`. However large it is, this is one small write;
    /// its space comes back in the background.
    bool erase(std::string_view key);

    /// From now on the key has this time to live, to the millisecond; tells whether it is there.
    /// One `ttl` message with the deadline, unless it is what it was. `Error::invalid_ttl`.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// The key lives for ever; tells whether it is there and had a deadline: then one `ttl` message
    /// without one.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    using SortedSetView::SortedSetView;

    std::uint64_t add_all(std::string_view key,
                          const std::vector<std::pair<std::string, double>>& members);
};

}  // namespace keywatch
