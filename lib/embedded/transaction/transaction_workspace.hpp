// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "overlay.hpp"
#include "workspace_base.hpp"
#include "write_set.hpp"

#include "embedded/monotonic_clock.hpp"
#include "storage/format/batch.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::embedded {

/// The state after the transactions executed before, durable or not. Used only by the holder of the
/// writer lock.
struct WriterState {
    storage::Catalogue catalogue;
    Overlay overlay;
    storage::BucketId next_bucket = 1;
    Revision head = 0;
    storage::Totals totals;
};

/// The workspace of an update: its own writes, over those of transactions executed before, over the
/// store.
///
/// Every write is collected. Nothing outside this object changes until the engine takes the
/// collected writes. So a transaction that throws leaves no trace.
class TransactionWorkspace final : public WorkspaceBase {
public:
    struct Limits {
        std::size_t max_bytes;
        bool record_messages;
        bool record_previous;
    };

    TransactionWorkspace(const storage::Store& store, const WriterState& state,
                         const Limits& limits, const MonotonicClock& clock);

    const HistoryId& history_id() const override;
    Revision revision() const override;
    std::vector<Bucket> buckets() const override;
    std::optional<Cursor> cursor(std::string_view name) const override;
    std::vector<Cursor> cursors() const override;
    Time now() const override;
    bool has_deadlines(structures::BucketIndex bucket) const override;
    std::optional<std::string> get(structures::BucketIndex bucket,
                                   std::string_view key) const override;
    std::shared_ptr<structures::KeyIterator> iterate(structures::BucketIndex bucket) const override;
    void create_bucket(Structure structure, std::string_view name) override;
    void delete_bucket(Structure structure, std::string_view name) override;
    void set_origin(std::string_view origin) override;
    void save_cursor(std::string_view name, const Position& position) override;
    bool delete_cursor(std::string_view name) override;
    void require_room(std::size_t bytes) override;
    void put(structures::BucketIndex bucket, std::string_view key, std::string_view value) override;
    void erase(structures::BucketIndex bucket, std::string_view key) override;
    void drop(structures::BucketIndex bucket, std::string_view prefix) override;
    void move_deadline(structures::BucketIndex bucket, std::string_view key,
                       std::optional<Time> before, std::optional<Time> after) override;
    bool records_previous() const override
    {
        return limits_.record_messages && limits_.record_previous;
    }
    void record(structures::BucketIndex bucket, const Message& message) override;

    // The following are for the sweep.
    /// A part of the deadline index, without the transaction's own writes.
    struct Due {
        std::vector<std::string> keys;  ///< deadline_keys whose time is over
        std::string next;               ///< the next one; empty if there is none
    };
    /// Returns the due entries from this deadline_key on, at most `most`.
    Due due(std::string_view from, std::size_t most) const;
    /// Returns a bucket whose keys can expire, or nothing if it was deleted.
    std::optional<std::pair<Structure, structures::BucketIndex>> expiring(storage::BucketId id);
    /// Removes a deadline_key that no longer has a meaning.
    void forget_deadline(std::string_view deadline_key);

    // The following return what was collected. They are called after the function has returned.
    /// Throws if the transaction was too large, even if its function swallowed that error.
    void check_size() const;
    bool changed_anything() const noexcept;
    std::size_t bytes() const noexcept { return bytes_ + record_.bytes(); }
    storage::BucketId next_bucket() const noexcept { return next_bucket_; }
    const storage::RecordWriter& record() const noexcept { return record_; }
    const std::vector<storage::CatalogueChange>& catalogue_changes() const noexcept
    {
        return changes_;
    }
    const std::vector<std::string>& orphans() const noexcept { return orphans_; }
    /// Returns the earliest of the deadlines that were set.
    std::optional<Time> earliest_deadline() const noexcept { return earliest_deadline_; }
    /// Returns the number of keys that were removed because they expired.
    std::size_t expired() const noexcept { return expired_; }
    /// Adds all writes except the history record.
    void write_to(storage::Batch& batch) const;
    std::shared_ptr<const WriteSet> take_writes() { return std::move(writes_); }
    /// Returns what must be unpinned once all this is durable. The workspace no longer owns what it
    /// has pinned.
    std::vector<Revision> take_unpins() noexcept;

    /// Ends all use, and unpins what was pinned but not taken.
    void finish() noexcept;

private:
    /// The cost of a write beyond its bytes, in a write set and in the batch.
    static constexpr std::size_t write_overhead = 64;

    std::optional<std::string> get_stored(std::string_view full_key) const;
    void pin(Revision revision);
    std::optional<storage::BucketId> find_bucket(Structure structure,
                                                 std::string_view name) const override;
    void charge(std::size_t bytes);
    void record_bucket(Structure structure, std::string_view name, const Message& message);

    const storage::Store& store_;
    const WriterState& state_;
    const Limits limits_;
    const MonotonicClock& clock_;
    mutable std::optional<Time> now_;
    std::shared_ptr<WriteSet> writes_ = std::make_shared<WriteSet>();
    storage::RecordWriter record_;
    std::vector<storage::CatalogueChange> changes_;
    std::vector<std::string> orphans_;
    std::vector<Revision> pinned_;
    std::vector<Revision> unpins_;  ///< former positions of cursors
    std::optional<Time> earliest_deadline_;
    std::size_t expired_ = 0;
    /// The newest state of every bucket that was created or deleted here.
    std::map<std::pair<Structure, std::string>, std::optional<storage::BucketId>> touched_;
    storage::BucketId next_bucket_;
    std::size_t bytes_ = 0;
    bool too_large_ = false;
};

}  // namespace keywatch::embedded
