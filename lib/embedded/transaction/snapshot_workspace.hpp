// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace_base.hpp"

#include "embedded/commit/durable_catalogue.hpp"
#include "embedded/monotonic_clock.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::embedded {

/// The workspace of a view: one store snapshot.
class SnapshotWorkspace final : public WorkspaceBase {
public:
    SnapshotWorkspace(const storage::Store& store, const DurableCatalogue& catalogue,
                      const MonotonicClock& clock);

    const HistoryId& history_id() const override;
    Revision revision() const override;
    std::vector<Bucket> buckets() const override;
    std::optional<Cursor> cursor(std::string_view name) const override;
    std::vector<Cursor> cursors() const override;
    Time now() const override;
    bool has_deadlines(structures::BucketIndex) const override { return true; }
    std::optional<std::string> get(structures::BucketIndex bucket,
                                   std::string_view key) const override;
    std::shared_ptr<structures::KeyIterator> iterate(structures::BucketIndex bucket) const override;

    /// Ends all use, and releases the store snapshot.
    void finish() noexcept;

private:
    std::optional<storage::BucketId> find_bucket(Structure structure,
                                                 std::string_view name) const override;

    // A snapshot cannot be written to: Snapshot has no functions that would.
    void create_bucket(Structure, std::string_view) override;
    void delete_bucket(Structure, std::string_view) override;
    void set_origin(std::string_view) override;
    void save_cursor(std::string_view, const Position&) override;
    bool delete_cursor(std::string_view) override;
    void require_room(std::size_t) override;
    void put(structures::BucketIndex, std::string_view, std::string_view) override;
    void erase(structures::BucketIndex, std::string_view) override;
    void drop(structures::BucketIndex, std::string_view) override;
    void move_deadline(structures::BucketIndex, std::string_view, std::optional<Time>,
                       std::optional<Time>) override;
    bool records_previous() const override { return false; }
    void record(structures::BucketIndex, const Message&) override;

    const storage::Store& store_;
    const DurableCatalogue& catalogue_;
    const MonotonicClock& clock_;
    mutable std::optional<Time> now_;
    const std::uint64_t version_;
    std::unique_ptr<storage::StoreSnapshot> snapshot_;
};

}  // namespace keywatch::embedded
