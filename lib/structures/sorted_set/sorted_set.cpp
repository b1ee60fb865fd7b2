// SPDX-License-Identifier: BSL-1.0
#include "sorted_set.hpp"

#include "rank_writer.hpp"
#include "score.hpp"
#include "sorted_members.hpp"

#include "bytes/hash.hpp"

#include <utility>
#include <vector>

namespace keywatch::structures::sorted_set {

namespace {

/// On average one in this many removals re-reads both ends.
constexpr std::uint64_t tightening = 16;

/// A sorted set that is being changed. It is saved at the end.
class Writer : public Members {
public:
    Writer(Workspace& workspace, BucketIndex bucket, std::string_view key,
           collection::Header header)
        : Members(workspace, bucket, std::move(header)),
          workspace_(workspace),
          bucket_(bucket),
          key_(key),
          stored_size_(size())
    {
    }

    /// Sets the score of a member. `before` is its current score.
    void set(std::string_view member, double score, std::optional<double> before);
    /// Removes an existing entry.
    void remove(std::string_view place);
    /// Removes the first (last) entry, and returns its place.
    std::optional<std::string> pop_first();
    std::optional<std::string> pop_last();
    void save();
    /// Looks up both ends, unless the set is empty.
    void tighten();

    /// Same as `tighten`, but only now and then, after the entry of this place was removed. Members
    /// that are removed one by one, or whose scores always grow, may leave a trail of erased keys
    /// at an end. This keeps it short.
    void tighten_after(std::string_view place);

private:
    void move(std::string_view from, std::string_view to);
    RankWriter rank_writer() { return {workspace_, elements_, ends_, bounds_, size()}; }

    Workspace& workspace_;
    BucketIndex bucket_;
    std::string_view key_;
    std::uint64_t stored_size_;
};

void Writer::set(std::string_view member, double score, std::optional<double> before)
{
    if (before == score) {
        return;
    }
    const std::string place = place_of(score, member);
    elements_.put(workspace_, by_member, member, score_text(score));
    elements_.put(workspace_, by_place, place, {});
    bounds_.include(place);
    if (before) {
        move(place_of(*before, member), place);
    } else {
        ++header_.size;
        rank_writer().add(place);
    }
    Message message;
    message.operation = before ? Operation::rescore : Operation::add;
    message.key = key_;
    message.value = member;
    message.score = score;
    message.previous_score = before;
    workspace_.record(bucket_, message);
}

void Writer::move(std::string_view from, std::string_view to)
{
    elements_.erase(workspace_, by_place, from);
    rank_writer().move(from, to);
    tighten_after(from);
}

void Writer::remove(std::string_view place)
{
    const std::string_view member = member_at(place);
    elements_.erase(workspace_, by_member, member);
    elements_.erase(workspace_, by_place, place);
    --header_.size;
    rank_writer().remove(place);
    Message message;
    message.operation = Operation::remove;
    message.key = key_;
    message.value = member;
    message.previous_score = score_at(place);
    workspace_.record(bucket_, message);
}

std::optional<std::string> Writer::pop_first()
{
    seek_first();
    if (!elements_.valid()) {
        return std::nullopt;
    }
    std::string place(elements_.suffix());
    remove(place);
    bounds_.raise_low(place);
    save();
    return place;
}

std::optional<std::string> Writer::pop_last()
{
    seek_last();
    if (!elements_.valid()) {
        return std::nullopt;
    }
    std::string place(elements_.suffix());
    remove(place);
    bounds_.lower_high(place);
    save();
    return place;
}

void Writer::save()
{
    std::string now = content();
    if (size() != stored_size_ || now != header_.content) {
        header_.content = std::move(now);
        collection::save(workspace_, bucket_, key_, header_);
    }
}

void Writer::tighten()
{
    if (size() == 0) {
        return;
    }
    seek_first();
    if (elements_.valid()) {
        bounds_.raise_low(elements_.suffix());
    }
    seek_last();
    if (elements_.valid()) {
        bounds_.lower_high(elements_.suffix());
    }
}

void Writer::tighten_after(std::string_view place)
{
    if (bytes::stable_hash(place) % tightening == 0) {
        tighten();
    }
}

std::optional<Writer> find(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<collection::Header> header = collection::find_to_write(workspace, bucket, key);
    return header ? std::optional<Writer>(std::in_place, workspace, bucket, key, std::move(*header))
                  : std::nullopt;
}

std::optional<OwnedMember> member_of(const std::optional<std::string>& place)
{
    return place ? std::optional<OwnedMember>(std::in_place, member_at(*place), score_at(*place))
                 : std::nullopt;
}

/// Removes all members of a range. They are copied first, because changing them moves the iterator.
std::uint64_t remove_all(Writer& set, Range<ScoredMember> range)
{
    std::vector<std::string> gone;
    for (const auto [member, score] : range) {
        gone.push_back(place_of(score, member));
    }
    if (gone.empty()) {
        return 0;
    }
    for (const std::string& place : gone) {
        set.remove(place);
    }
    set.tighten();
    set.save();
    return gone.size();
}

}  // namespace

std::uint64_t add(Workspace& workspace, BucketIndex bucket, std::string_view key,
                  std::span<const ScoredMember> members)
{
    for (const ScoredMember& each : members) {
        (void)checked_score(each.score);
    }
    if (members.empty()) {
        return 0;
    }
    Writer set(workspace, bucket, key, collection::find_or_create(workspace, bucket, key));
    const std::uint64_t before = set.size();
    for (const ScoredMember& each : members) {
        set.set(each.member, checked_score(each.score), set.score(each.member));
    }
    set.save();
    return set.size() - before;
}

double increment(Workspace& workspace, BucketIndex bucket, std::string_view key,
                 std::string_view member, double by)
{
    (void)checked_score(by);
    Writer set(workspace, bucket, key, collection::find_or_create(workspace, bucket, key));
    const std::optional<double> before = set.score(member);
    const double after = checked_score(before.value_or(0) + by);
    set.set(member, after, before);
    set.save();
    return after;
}

bool remove(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view member)
{
    std::optional<Writer> set = find(workspace, bucket, key);
    const std::optional<double> score = set ? set->score(member) : std::nullopt;
    if (!score) {
        return false;
    }
    const std::string place = place_of(*score, member);
    set->remove(place);
    set->tighten_after(place);
    set->save();
    return true;
}

std::optional<OwnedMember> pop_min(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Writer> set = find(workspace, bucket, key);
    return set ? member_of(set->pop_first()) : std::nullopt;
}

std::optional<OwnedMember> pop_max(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Writer> set = find(workspace, bucket, key);
    return set ? member_of(set->pop_last()) : std::nullopt;
}

std::uint64_t remove_by_rank(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                             std::string_view key, std::int64_t first, std::int64_t last)
{
    std::optional<Writer> set = find(*workspace, bucket, key);
    return set ? remove_all(*set, range_by_rank(workspace, bucket, key, first, last)) : 0;
}

std::uint64_t remove_by_score(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                              std::string_view key, const ScoreRange& scores)
{
    Range<ScoredMember> range = range_by_score(workspace, bucket, key, scores, {});
    std::optional<Writer> set = find(*workspace, bucket, key);
    return set ? remove_all(*set, std::move(range)) : 0;
}

}  // namespace keywatch::structures::sorted_set
