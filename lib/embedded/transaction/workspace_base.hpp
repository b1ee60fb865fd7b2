// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/error.hpp>

#include "merged_iterator.hpp"

#include "storage/format/layout.hpp"
#include "structures/workspace.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::embedded {

/// The common part of the workspaces of transactions and snapshots: the table of the buckets that
/// were looked up, and the end of all use once the function has returned.
class WorkspaceBase : public structures::Workspace {
public:
    structures::BucketIndex bucket(Structure structure, std::string_view name) override;
    bool has_bucket(Structure structure, std::string_view name) const override;

    /// Makes every later use throw, even of iterators, and releases the store.
    void finish() noexcept;

protected:
    struct KnownBucket {
        Structure structure;
        std::string name;
        storage::BucketId id;
        std::string prefix;
        std::optional<std::uint32_t> in_record;  ///< its index in the record's table
        bool deleted = false;
        bool deadlines = false;  ///< true if a key received a deadline here
    };

    /// Most transactions use one or two buckets.
    using KnownBuckets = boost::container::small_vector<KnownBucket, 2>;

    virtual std::optional<storage::BucketId> find_bucket(Structure structure,
                                                         std::string_view name) const = 0;

    void check_usable() const;
    std::shared_ptr<structures::KeyIterator> make_iterator(structures::BucketIndex bucket,
                                                           MergedIterator::Layers layers) const;
    /// Returns the cursors in these layers.
    static std::vector<Cursor> list_cursors(const storage::Store& store,
                                            MergedIterator::Layers layers);
    const KnownBucket& known(structures::BucketIndex bucket) const;
    KnownBucket& known(structures::BucketIndex bucket);
    KnownBuckets& known_buckets() noexcept { return known_; }
    /// The result is valid until the next call.
    std::string_view full_key(structures::BucketIndex bucket, std::string_view key) const;

private:
    KnownBuckets known_;
    mutable std::string full_key_;
    mutable std::vector<std::weak_ptr<MergedIterator>> iterators_;
    bool finished_ = false;
};

inline constexpr std::size_t max_name_bytes = 65535;
/// Throws if this is not a valid name for something new.
void check_name(std::string_view name);

}  // namespace keywatch::embedded
