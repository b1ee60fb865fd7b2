// SPDX-License-Identifier: BSL-1.0
#include "sorted_members.hpp"

#include "score.hpp"

#include "bytes/numbers.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::structures::sorted_set {

namespace {

/// This close to the end, walking back is cheaper than counting.
constexpr std::uint64_t near_end = 64;

/// Returns the first place of a score, or the first one after it.
std::string edge(double score, bool after)
{
    std::string place;
    bytes::append_fixed(place, sortable_bits(checked_score(score)) + (after ? 1 : 0));
    return place;
}

/// Returns a rank that counts from the first member, even if `rank` counts from the end.
std::int64_t from_front(std::int64_t rank, std::int64_t size)
{
    return rank < 0 ? rank + size : rank;
}

}  // namespace

PlaceInterval interval_of(const ScoreRange& scores)
{
    return {edge(scores.min, scores.exclude_min), edge(scores.max, !scores.exclude_max)};
}

Ranks clipped(std::int64_t first, std::int64_t last, std::uint64_t size)
{
    const auto members = static_cast<std::int64_t>(size);
    const std::int64_t begin = std::max<std::int64_t>(from_front(first, members), 0);
    const std::int64_t end = std::min(from_front(last, members), members - 1) + 1;
    return begin < end ? Ranks{static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)}
                       : Ranks{};
}

Layout layout_of(const collection::Header& header)
{
    const std::string_view content = header.content;
    bytes::ByteReader reader(content);
    Layout layout;
    layout.ends = Ends(reader, header.size);
    layout.bounds = Bounds(content.substr(content.size() - reader.left()));
    return layout;
}

Members::Members(const Workspace& workspace, BucketIndex bucket, collection::Header header)
    : header_(std::move(header)), elements_(workspace, bucket, header_.id)
{
    if (header_.size > 0) {
        Layout layout = layout_of(header_);
        ends_ = std::move(layout.ends);
        bounds_ = std::move(layout.bounds);
    }
}

std::optional<Members> Members::find(const Workspace& workspace, BucketIndex bucket,
                                     std::string_view key)
{
    std::optional<collection::Header> header = collection::find(workspace, bucket, key);
    return header ? std::optional<Members>(std::in_place, workspace, bucket, std::move(*header))
                  : std::nullopt;
}

std::uint64_t Members::rank(std::string_view place)
{
    return place >= bounds_.end() ? size() : ranks().rank(place);
}

void Members::seek(std::string_view place)
{
    elements_.seek(by_place, std::max<std::string_view>(place, bounds_.low()));
}

void Members::seek_before(std::string_view place)
{
    const std::string end = bounds_.end();
    elements_.seek_before(by_place, std::min<std::string_view>(place, end));
}

void Members::seek_rank(std::uint64_t rank)
{
    if (rank >= size() || size() - rank > near_end) {
        ranks().seek(rank);
        return;
    }
    seek_last();
    for (std::uint64_t back = size() - 1 - rank; back > 0 && elements_.valid(); --back) {
        elements_.previous();
    }
}

}  // namespace keywatch::structures::sorted_set
