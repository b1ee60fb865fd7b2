// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "rank_index.hpp"
#include "sorted_bounds.hpp"
#include "sorted_elements.hpp"

#include "structures/collection.hpp"
#include "structures/workspace.hpp"

#include <keywatch/sorted_set.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// The places of some scores: from `begin` on, before `end`.
struct PlaceInterval {
    std::string begin;
    std::string end;
};
/// Throws `Error::invalid_score`.
PlaceInterval interval_of(const ScoreRange& scores);

/// The ranks from `first` on, before `end`.
struct Ranks {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
};
/// Returns those that exist in a sorted set of this size: see `SortedSetView::range_by_rank`.
Ranks clipped(std::int64_t first, std::int64_t last, std::uint64_t size);

/// The content of a sorted set's header besides its size: where its elements are.
struct Layout {
    Ends ends;
    Bounds bounds;
};
/// Throws `Error::damaged`. Precondition: the set is not empty.
Layout layout_of(const collection::Header& header);

/// A sorted set that is opened for one operation: its parsed header, and its elements.
class Members {
public:
    Members(const Workspace& workspace, BucketIndex bucket, collection::Header header);
    /// Opens a set. Returns nothing if it does not exist.
    static std::optional<Members> find(const Workspace& workspace, BucketIndex bucket,
                                       std::string_view key);

    std::uint64_t size() const noexcept { return header_.size; }
    std::optional<double> score(std::string_view member) { return elements_.score(member); }
    /// Returns the number of places that are less.
    std::uint64_t rank(std::string_view place);

    // The following move the elements to a place.
    void seek(std::string_view place);
    void seek_before(std::string_view place);
    void seek_rank(std::uint64_t rank);
    void seek_first() { seek({}); }
    void seek_last() { seek_before(bounds_.end()); }

    Elements& elements() noexcept { return elements_; }

protected:
    /// Returns the content of the header: ends and bounds.
    std::string content() const { return ends_.content(size()) + bounds_.content(); }

    collection::Header header_;
    Ends ends_;
    Bounds bounds_;
    Elements elements_;

private:
    RankIndex ranks() { return {elements_, ends_, bounds_, size()}; }
};

}  // namespace keywatch::structures::sorted_set
