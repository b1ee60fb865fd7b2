// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "history_pins.hpp"

#include "storage/files/environment.hpp"
#include "storage/format/batch.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"
#include "storage/format/layout.hpp"
#include "values/history_slice.hpp"

#include <keywatch/cursor.hpp>
#include <keywatch/error.hpp>
#include <keywatch/options.hpp>

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::storage {

class StoreBackup;

/// A consistent view of the store at one moment. It must be destroyed before the store.
class StoreSnapshot {
public:
    explicit StoreSnapshot(leveldb::DB& db) : db_(&db), snapshot_(db.GetSnapshot()) {}
    StoreSnapshot(const StoreSnapshot&) = delete;
    StoreSnapshot& operator=(const StoreSnapshot&) = delete;
    ~StoreSnapshot() { db_->ReleaseSnapshot(snapshot_); }

    const leveldb::Snapshot* get() const noexcept { return snapshot_; }

private:
    leveldb::DB* db_;
    const leveldb::Snapshot* snapshot_;
};

/// The two ends of history, as needed to decide whether to trim.
struct HistoryState {
    Revision oldest = 1;  ///< newest + 1 if history is empty
    Revision newest = 0;
    Time oldest_time{};
    Totals before_oldest;  ///< totals of the trimmed records
    Totals newest_totals;
};

/// The age from which an age limit has no effect, however far the clock jumps. A user may pass an
/// age for "for ever" that microseconds cannot represent.
inline constexpr std::chrono::seconds no_age_limit = std::chrono::hours{24 * 365'250};

/// Removals of history records to be written in one batch.
struct TrimStep {
    Batch batch;
    HistoryState after;  ///< the older end of history once the batch is written
    std::size_t records = 0;
};

/// The maximum amount trimmed at a time.
struct TrimAmount {
    std::size_t steps = 1;
    std::size_t records = 0;  ///< per step
};

/// A LevelDB database with keywatch's layout. All calls are synchronous. Reads may run on any
/// thread, writes on one thread at a time.
///
/// Errors are thrown as system_error with the codes of `Error`. The message contains LevelDB's
/// text.
class Store {
public:
    /// Opens or creates the database. `base`: the Env to use instead of the default one (for
    /// `memory:`, instead of a new in-memory one). It is not owned, and only tests pass it. With
    /// `base`, every file is accessed through it, including the marker file, and nothing is locked.
    /// If `base` is also a `Disk`, directories are synced through it, otherwise not at all.
    ///
    /// If anything fails, the directory is left byte for byte as it was. If the disk is full, the
    /// reserve (Options::reserve_bytes) is given up.
    ///
    /// Reads the catalogue, the orphans of dropped buckets, the head and both ends of history, pins
    /// the history that cursors need, and checks that the newest history is contiguous. If commits
    /// were made without history since the newest record, history starts anew after them: `oldest`
    /// is head + 1.
    static std::unique_ptr<Store> open(const Options& options, leveldb::Env* base = nullptr);
    /// Returns the same options with a location that does not depend on the process's working
    /// directory.
    static Options located(Options options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // State found by open(). Constant afterwards.
    const HistoryId& history_id() const noexcept { return history_id_; }
    Revision head_at_open() const noexcept { return head_at_open_; }
    /// Returns the time of the database: the time of the newest record, or a later one stored under
    /// `time_key`. Returns Time::min() if there is neither.
    Time latest_time_at_open() const noexcept { return latest_time_at_open_; }
    BucketId next_bucket_at_open() const noexcept { return next_bucket_at_open_; }
    const Catalogue& catalogue_at_open() const noexcept { return catalogue_at_open_; }
    const std::vector<std::string>& orphans_at_open() const noexcept { return orphans_at_open_; }
    const HistoryState& history_at_open() const noexcept { return history_at_open_; }

    // Reads. If `snapshot` is null, they use the newest state.
    std::optional<std::string> get(std::string_view key, const StoreSnapshot* snapshot) const;
    std::unique_ptr<leveldb::Iterator> iterate(const StoreSnapshot* snapshot,
                                               bool fill_cache) const;
    /// Returns the first deadline that is not before `from`.
    std::optional<Time> first_deadline(Time from) const;
    std::unique_ptr<StoreSnapshot> snapshot() const;
    /// Returns the revision of this snapshot.
    Revision revision(const StoreSnapshot& snapshot) const;
    /// Returns the time of this commit, or nullopt if the snapshot has no record of it.
    std::optional<Time> time_of(Revision revision, const StoreSnapshot& snapshot) const;
    /// Returns the commits after `after` up to `up_to`, as many as the limits allow and at least
    /// one. Reads them in one snapshot, together with the oldest revision.
    HistorySlice read_history(Revision after, Revision up_to, const SliceLimits& limits) const;

    /// The boundary of the history after a revision: the totals of all records up to that revision,
    /// and the time of the first record after it.
    struct Unseen {
        Totals before;
        Time first;
    };
    /// Returns the boundary after `seen`, or nullopt if no record follows. `before_oldest`: the
    /// totals of the trimmed records.
    std::optional<Unseen> unseen(Revision seen, const Totals& before_oldest) const;
    /// Returns the public form of a stored cursor.
    Cursor cursor(std::string_view name, std::string_view stored) const;
    /// Returns all cursors and their distances from the head, read in one snapshot.
    std::vector<CursorLag> cursor_lags(Time now) const;

    /// Keeps the current files, to be copied while writes continue. Throws like `write` after a
    /// failed write, and like check_location(). The backup must be destroyed before the store.
    std::unique_ptr<StoreBackup> start_backup() const;

    /// Applies a batch. Throws `read_only` if the store was opened read-only. After any failure,
    /// this and every later call throws the same error with the first reason: `storage_failed`, or
    /// `damaged` if LevelDB refuses writes because it has read wrong bytes. May be called while
    /// trim, erase_orphan or prepare_rotation runs on another thread.
    void write(Batch& batch, bool sync);
    bool failed() const noexcept
    {
        return failed_->load(std::memory_order_acquire);  // pairs with the store in fail_writes
    }
    /// Returns the flag that failed() reads. It may be used after the store was destroyed.
    std::shared_ptr<const std::atomic<bool>> failed_flag() const noexcept { return failed_; }
    /// Returns the exception of the first failed write. Precondition: failed().
    std::exception_ptr failure() const noexcept;
    /// Returns `Stats::Engine::reserve_bytes`. The object outlives the store.
    std::shared_ptr<const std::atomic<std::uint64_t>> reserve_bytes() const noexcept;
    /// Throws `storage_failed` if the location no longer leads to this store's directory, because
    /// the directory was moved, removed or replaced.
    void check_location() const;

    // History and space. Called by the thread that writes groups.
    /// Adds a record to a batch, split into parts if it is long.
    static void put_record(Batch& batch, Revision revision, std::string_view record);
    /// Returns the pins of history that must not be trimmed. `open` pins the history after each
    /// cursor. From then on, the code that writes cursors updates the pins.
    HistoryPins& pins() const noexcept;
    /// Plans the removal of the oldest records while more is kept than `keep` allows. The steps
    /// must be written in this order, each in one batch. Never removes the newest record, and
    /// removes pinned records only if the hard limit is exceeded. All planned steps must be written
    /// before the next call.
    std::vector<TrimStep> plan_trim(const HistoryState& state, const HistoryLimits& keep, Time now,
                                    TrimAmount most);
    /// Plans a single step and writes it. Advances `state` and returns the number of removed
    /// records.
    std::size_t trim(HistoryState& state, const HistoryLimits& keep, Time now, std::size_t most);
    /// Erases at most `most` of the keys that begin with this prefix, which has an orphan_key.
    /// Returns true once all of them are erased.
    bool erase_orphan(const std::string& prefix, std::size_t most);

    // Avoiding stalls of an event loop in buffered mode.
    /// Returns true if a write of this size may block for longer than an append: it is large, the
    /// memory table is about to be rotated, or LevelDB has too many files to compact.
    bool may_stall(std::size_t bytes) const;
    /// Returns true if the memory table is so full that prepare_rotation should be called, and
    /// rotating it would not stall.
    bool wants_rotation() const;
    /// Syncs the log and rotates the memory table, unless that would stall.
    void prepare_rotation();

private:
    struct Impl;
    class Opening;
    Store();
    /// Precondition: the caller holds the mutex that is held while LevelDB writes.
    [[noreturn]] void fail_writes(const leveldb::Status& status);
    HistoryId history_id_;
    Revision head_at_open_ = 0;
    Time latest_time_at_open_ = Time::min();
    BucketId next_bucket_at_open_ = 1;
    Catalogue catalogue_at_open_;
    std::vector<std::string> orphans_at_open_;
    HistoryState history_at_open_;
    const std::shared_ptr<std::atomic<bool>> failed_ = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<Impl> impl_;
};

}  // namespace keywatch::storage
