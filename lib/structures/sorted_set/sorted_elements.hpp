// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The elements of one sorted set. After the collection's prefix (doc/storage.md):
///
///     'm' member         its score, as text
///     's' place          empty
///     'c' level place    how many entries a fence of the rank index counts (u64)
///
/// A *place* defines where a member is in the order: its score as eight bytes that sort, then the
/// member.
namespace keywatch::structures::sorted_set {

std::string place_of(double score, std::string_view member);
/// Returns the score of a place. Throws `Error::damaged` if it is too short to be a place.
double score_at(std::string_view place);
std::string_view member_at(std::string_view place);

/// The kinds of elements, as their keys begin.
inline constexpr std::string_view by_member = "m";
/// The places, and the levels of the rank index above them.
inline constexpr std::array<std::string_view, 3> levels{"s", "c\1", "c\2"};
inline constexpr std::string_view by_place = levels[0];

/// Access to elements: it looks up, changes, and walks over them. All walks use one iterator, so
/// that an operation creates only one.
class Elements {
public:
    Elements(const Workspace& workspace, BucketIndex bucket, std::uint64_t id);

    std::optional<double> score(std::string_view member);
    void put(Workspace& workspace, std::string_view kind, std::string_view suffix,
             std::string_view value);
    void erase(Workspace& workspace, std::string_view kind, std::string_view suffix);

    /// Moves to the first element of this kind that is not less.
    void seek(std::string_view kind, std::string_view suffix);
    /// Moves to the last element of this kind that is less.
    void seek_before(std::string_view kind, std::string_view suffix);
    /// Moves to the last element of this kind.
    void seek_last(std::string_view kind);
    /// Returns true if the current element is of the kind that was sought.
    bool valid() const;
    // Precondition of the following: `valid()`. The returned views are valid until the iterator
    // moves.
    void next() { iterator_->next(); }
    void previous() { iterator_->previous(); }
    std::string_view suffix() const { return iterator_->key().substr(walked_.size()); }
    std::string_view value() const { return iterator_->value(); }

private:
    /// The result is valid until the next call.
    std::string_view key(std::string_view kind, std::string_view suffix);
    void walk(std::string_view kind);

    const Workspace* workspace_;
    BucketIndex bucket_;
    std::string prefix_;
    std::string key_;
    std::string walked_;
    std::shared_ptr<KeyIterator> iterator_;
};

}  // namespace keywatch::structures::sorted_set
