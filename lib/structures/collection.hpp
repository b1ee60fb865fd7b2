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

/// What buckets of lists, sets and sorted sets have in common: each user's key has a *collection*,
/// a header and elements. In the bucket's key space (doc/storage.md):
///
///     'h' key                 the header: id, size, what the structure keeps there, stamp
///     'e' id (u64) ...        an element; the structure says what follows
///     'n'                     the next id (u64)
///
/// An id is given once and never again. So however large a collection is, it is gone once its
/// header is; its elements are erased in the background.
///
/// 1. A collection that is empty has no header.
/// 2. A collection that has expired is not there for readers. Whoever writes to it removes it
///    first, with the message that the sweep would have made.
namespace keywatch::structures::collection {

/// What the key of a header begins with; the user's key follows.
inline constexpr char header_kind = 'h';

struct Header {
    std::uint64_t id = 0;
    std::uint64_t size = 0;
    std::optional<Time> deadline;
    /// The structure's own.
    std::string content;
};

/// Of a stored one; throws `Error::damaged`.
Header read_header(std::string_view stored);

/// What is there for a reader: nothing if there is none, or if it has expired.
std::optional<Header> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);

/// The same for a writer: removes what has expired.
std::optional<Header> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// The same, or a new one of size 0 with an id. Throws `Error::empty_key`.
Header find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// Stores a header that was changed; removes it, and its deadline, if the size is 0: then all its
/// elements must have been erased, or `drop_elements` been called.
void save(Workspace& workspace, BucketIndex bucket, std::string_view key, const Header& header);

/// What the keys of a collection's elements begin with.
std::string element_prefix(std::uint64_t id);
/// Erases all elements: those of a large one in the background. The id may not be used again: see
/// `renew`.
void drop_elements(Workspace& workspace, BucketIndex bucket, const Header& header);
/// Gives the header another id, for a collection that is built anew.
void renew(Workspace& workspace, BucketIndex bucket, Header& header);

/// Removes the collection as a whole, with one `erase` message; false if there is none.
bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// The same because its time is over, if that was its deadline.
bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline);

std::uint64_t size(const Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key);
/// False if there is none. One `ttl` message if the deadline changes.
bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl);
/// False if there is none, or it had no deadline.
bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// The keys that match a pattern (see Glob), in order.
Range<std::string_view> keys(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                             std::string_view pattern);

}  // namespace keywatch::structures::collection
