// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <keywatch/range.hpp>
#include <keywatch/time.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The common part of buckets of lists, sets and sorted sets: each user's key has a *collection*, a
/// header and elements. In the bucket's key space (doc/storage.md):
///
///     'h' key                 the header: id, size, the structure's own content, stamp
///     'e' id (u64) ...        an element; the structure defines what follows
///     'n'                     the next id (u64)
///
/// An id is used only once. So a collection of any size is removed when its header is. Its elements
/// are erased in the background.
///
/// 1. A collection that is empty has no header.
/// 2. Readers do not see a collection that has expired. A writer removes it first, with the message
///    that the sweep would have recorded.
namespace keywatch::structures::collection {

/// The first byte of a header's key. The user's key follows.
inline constexpr char header_kind = 'h';

struct Header {
    std::uint64_t id = 0;
    std::uint64_t size = 0;
    std::optional<Time> deadline;
    /// The structure's own content.
    std::string content;
};

/// Parses a stored header. Throws `Error::damaged`.
Header read_header(std::string_view stored);

/// Returns the header that a reader sees: nothing if there is none, or if it has expired.
std::optional<Header> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);

/// Returns the header that a writer sees. Removes it if it has expired.
std::optional<Header> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Same as `find_to_write`. If there is none, returns a new header of size 0 with an id. Throws
/// `Error::empty_key`.
Header find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// Stores a changed header. If the size is 0, removes the header and its deadline. In that case all
/// elements must have been erased, or `drop_elements` must have been called.
void save(Workspace& workspace, BucketIndex bucket, std::string_view key, const Header& header);

/// Returns the common prefix of the keys of a collection's elements.
std::string element_prefix(std::uint64_t id);
/// Erases all elements, those of a large collection in the background. The id may not be used
/// again: see `renew`.
void drop_elements(Workspace& workspace, BucketIndex bucket, const Header& header);
/// Sets a new id in the header, for a collection that is built again.
void renew(Workspace& workspace, BucketIndex bucket, Header& header);

/// Removes the whole collection, with one `erase` message. Returns false if there is none.
bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Same as `erase`, with the cause `expired`. Returns false unless the collection has this deadline
/// and it has passed.
bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline);

std::uint64_t size(const Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key);
/// Returns false if there is no collection. Records one `ttl` message if the deadline changes.
bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl);
/// Returns false if there is no collection, or if it had no deadline.
bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// Returns the keys that match a pattern (see Glob), in order.
Range<std::string_view> keys(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                             std::string_view pattern);

}  // namespace keywatch::structures::collection
