// SPDX-License-Identifier: BSL-1.0
#include "score.hpp"
#include "sorted_members.hpp"
#include "sorted_set.hpp"

#include <utility>

namespace keywatch::structures::sorted_set {

namespace {

/// The largest offset that is walked over. A larger one is counted.
constexpr std::uint64_t short_offset = 64;

/// A walk over some of the members of a sorted set, until one is outside the range or the limit is
/// reached.
class MembersCursor : public detail::Cursor<ScoredMember> {
public:
    MembersCursor(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                  std::string_view key, const MemberScan& scan)
        : workspace_(std::move(workspace)), bucket_(bucket), key_(key), scan_(scan)
    {
    }

    void start() final
    {
        left_ = scan_.limit;
        set_ = Members::find(*workspace_, bucket_, key_);
        if (set_ && left_ != 0) {
            place(*set_);
        }
    }
    bool valid() const final { return set_ && left_ != 0 && set_->elements().valid() && inside(); }
    void next() final
    {
        if (--left_ != 0) {
            step();
        }
    }

protected:
    /// Moves the elements to the first member.
    virtual void place(Members& set) = 0;
    /// Returns true if the current member belongs to the range.
    virtual bool inside() const { return true; }

    const MemberScan& scan() const noexcept { return scan_; }
    void limit(std::uint64_t members) { left_ = members; }
    Elements& elements() const { return set_->elements(); }
    void step()
    {
        if (scan_.reverse) {
            elements().previous();
        } else {
            elements().next();
        }
    }
    void walk_over_offset()
    {
        for (std::uint64_t left = scan_.offset; left > 0 && valid(); --left) {
            step();
        }
    }

private:
    std::shared_ptr<const Workspace> workspace_;
    BucketIndex bucket_;
    std::string key_;
    MemberScan scan_;
    std::uint64_t left_ = 0;
    mutable std::optional<Members> set_;
};

/// A cursor in the order of scores, which walks over the places.
class PlacesCursor : public MembersCursor {
public:
    using MembersCursor::MembersCursor;
    ScoredMember current() const final
    {
        const std::string_view place = elements().suffix();
        return {member_at(place), score_at(place)};
    }
};

class ByRank final : public PlacesCursor {
public:
    ByRank(std::shared_ptr<const Workspace> workspace, BucketIndex bucket, std::string_view key,
           std::int64_t first, std::int64_t last)
        : PlacesCursor(std::move(workspace), bucket, key, {}), first_(first), last_(last)
    {
    }

private:
    void place(Members& set) override
    {
        const Ranks ranks = clipped(first_, last_, set.size());
        limit(ranks.end - ranks.first);
        if (ranks.first != ranks.end) {
            set.seek_rank(ranks.first);
        }
    }

    std::int64_t first_;
    std::int64_t last_;
};

class ByScore final : public PlacesCursor {
public:
    ByScore(std::shared_ptr<const Workspace> workspace, BucketIndex bucket, std::string_view key,
            PlaceInterval interval, const MemberScan& scan)
        : PlacesCursor(std::move(workspace), bucket, key, scan), interval_(std::move(interval))
    {
    }

private:
    void place(Members& set) override
    {
        if (scan().offset > short_offset) {
            place_by_rank(set);
            return;
        }
        if (scan().reverse) {
            set.seek_before(interval_.end);
        } else {
            set.seek(interval_.begin);
        }
        walk_over_offset();
    }
    void place_by_rank(Members& set)
    {
        const std::uint64_t edge = set.rank(scan().reverse ? interval_.end : interval_.begin);
        const std::uint64_t left = scan().reverse ? edge : set.size() - edge;
        if (scan().offset >= left) {
            limit(0);
            return;
        }
        set.seek_rank(scan().reverse ? edge - 1 - scan().offset : edge + scan().offset);
    }
    bool inside() const override
    {
        const std::string_view place = elements().suffix();
        return scan().reverse ? place >= interval_.begin : place < interval_.end;
    }

    PlaceInterval interval_;
};

class ByMember final : public MembersCursor {
public:
    ByMember(std::shared_ptr<const Workspace> workspace, BucketIndex bucket, std::string_view key,
             std::string_view first, std::optional<std::string_view> last, const MemberScan& scan)
        : MembersCursor(std::move(workspace), bucket, key, scan), first_(first), last_(last)
    {
    }
    ScoredMember current() const override
    {
        return {elements().suffix(), parse_score(elements().value())};
    }

private:
    void place(Members& set) override
    {
        if (!scan().reverse) {
            set.elements().seek(by_member, first_);
        } else if (last_) {
            set.elements().seek_before(by_member, *last_);
        } else {
            set.elements().seek_last(by_member);
        }
        walk_over_offset();
    }
    bool inside() const override
    {
        const std::string_view member = elements().suffix();
        return scan().reverse ? member >= first_ : !last_ || member < *last_;
    }

    std::string first_;
    std::optional<std::string> last_;
};

}  // namespace

Range<ScoredMember> range_by_rank(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                  std::string_view key, std::int64_t first, std::int64_t last)
{
    return Range<ScoredMember>(
        std::make_shared<ByRank>(std::move(workspace), bucket, key, first, last));
}

Range<ScoredMember> range_by_score(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                   std::string_view key, const ScoreRange& scores,
                                   const MemberScan& scan)
{
    return Range<ScoredMember>(
        std::make_shared<ByScore>(std::move(workspace), bucket, key, interval_of(scores), scan));
}

Range<ScoredMember> range_by_member(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                    std::string_view key, std::string_view first,
                                    std::optional<std::string_view> last, const MemberScan& scan)
{
    return Range<ScoredMember>(
        std::make_shared<ByMember>(std::move(workspace), bucket, key, first, last, scan));
}

}  // namespace keywatch::structures::sorted_set
