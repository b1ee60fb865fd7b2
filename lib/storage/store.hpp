// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "history_pins.hpp"

#include "storage/files/environment.hpp"
#include "storage/format/batch.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"
#include "storage/format/layout.hpp"

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

/// A consistent view of the store at one moment. Must be gone before the store is.
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

/// Commits (after, reached] of history, or the news that some of them are trimmed.
struct HistorySlice {
    std::vector<std::shared_ptr<const CommitRecord>> commits;
    /// Through which revision the slice is complete: `up_to`, or the last commit if limits cut it.
    Revision reached = 0;
    /// If set, after + 1 is older than this, the oldest revision; there are no commits then.
    std::optional<Revision> compacted;
};

struct SliceLimits {
    std::size_t messages = 1024;
    std::size_t bytes = std::size_t{4} << 20;
    /// All commits in one piece of memory, which is quick, and is kept as long as any of them.
    bool one_slab = false;
};

/// What is known of history's two ends, to decide whether to trim.
struct HistoryState {
    Revision oldest = 1;  ///< newest + 1 if there is none
    Revision newest = 0;
    Time oldest_time{};
    Totals before_oldest;  ///< totals of what was trimmed
    Totals newest_totals;
};

/// An age from which on nothing is trimmed for it, however far the clock jumps. "For ever" may be
/// given as one that microseconds cannot hold.
inline constexpr std::chrono::seconds no_age_limit = std::chrono::hours{24 * 365'250};

/// Removals of history records that belong into one batch.
struct TrimStep {
    Batch batch;
    HistoryState after;  ///< its older end, once that is written
    std::size_t records = 0;
};

/// How much is trimmed at a time.
struct TrimAmount {
    std::size_t steps = 1;
    std::size_t records = 0;  ///< in a step
};

/// LevelDB with keywatch's layout in it. Everything is synchronous; reads may be made from any
/// thread, writes from one at a time.
///
/// Errors are thrown as system_error with the codes of `Error`; the message has LevelDB's own.
class Store {
public:
    /// Opens or creates. `base`: the Env to run on instead of the default one (or, for `memory:`,
    /// instead of a new in-memory one); not owned; only tests give it. Then everything goes through
    /// it, the marker file too, and nothing is locked; if it is a `Disk` as well, directories are
    /// synced through that, otherwise not at all.
    ///
    /// Whatever fails, the directory is left byte for byte as it was. If the disk is full, the
    /// reserve (Options::reserve_bytes) is given up.
    ///
    /// Finds the catalogue, the orphans of dropped buckets, the head and both ends of history, pins
    /// what cursors need of it, and checks that the newest history is contiguous. If commits were
    /// made without history since the newest record, history starts anew behind them: `oldest` is
    /// head + 1.
    static std::unique_ptr<Store> open(const Options& options, leveldb::Env* base = nullptr);
    /// The same options, with a location that does not depend on the process's directory any more.
    static Options located(Options options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // What open() found. Constant afterwards.
    const HistoryId& history_id() const noexcept { return history_id_; }
    Revision head_at_open() const noexcept { return head_at_open_; }
    /// The time of the database: of the newest record, or a later one that was stored under
    /// `time_key`; Time::min() if there is neither.
    Time latest_time_at_open() const noexcept { return latest_time_at_open_; }
    BucketId next_bucket_at_open() const noexcept { return next_bucket_at_open_; }
    const Catalogue& catalogue_at_open() const noexcept { return catalogue_at_open_; }
    const std::vector<std::string>& orphans_at_open() const noexcept { return orphans_at_open_; }
    const HistoryState& history_at_open() const noexcept { return history_at_open_; }

    // Reads. `snapshot` may be null: the newest state.
    std::optional<std::string> get(std::string_view key, const StoreSnapshot* snapshot) const;
    std::unique_ptr<leveldb::Iterator> iterate(const StoreSnapshot* snapshot,
                                               bool fill_cache) const;
    /// The first deadline that is not before this time.
    std::optional<Time> first_deadline(Time from) const;
    std::unique_ptr<StoreSnapshot> snapshot() const;
    /// The revision that this snapshot shows.
    Revision revision(const StoreSnapshot& snapshot) const;
    /// When that commit was made; nothing if the snapshot has no record of it.
    std::optional<Time> time_of(Revision revision, const StoreSnapshot& snapshot) const;
    /// Commits after `after` up to `up_to` as far as the limits allow, at least one; read in one
    /// snapshot, together with the oldest revision.
    HistorySlice read_history(Revision after, Revision up_to, const SliceLimits& limits) const;

    /// What lies in history behind a revision: the totals of all records up to it, and the time of
    /// the first one after it. `before_oldest`: the totals of what was trimmed. Nothing if no
    /// record follows.
    struct Unseen {
        Totals before;
        Time first;
    };
    std::optional<Unseen> unseen(Revision seen, const Totals& before_oldest) const;
    /// The public form of a cursor of which this is stored.
    Cursor cursor(std::string_view name, std::string_view stored) const;
    /// All cursors, and what lies between them and the head, read in one snapshot.
    std::vector<CursorLag> cursor_lags(Time now) const;

    /// Holds on to the files as they are now, to be copied while writes go on. Throws as `write`
    /// after a failed one, and as check_place(). The backup must be gone before the store is.
    std::unique_ptr<StoreBackup> start_backup() const;

    /// Applies a batch. `read_only`, if it was opened so. After any failure this and every later
    /// call throws the same, with the first reason: `storage_failed`, or `damaged` if LevelDB
    /// refuses writes since it met wrong bytes. May be called while trim, erase_orphan or
    /// prepare_rotation run on another thread.
    void write(Batch& batch, bool sync);
    bool failed() const noexcept { return failed_->load(std::memory_order_acquire); }
    /// The same for those who may ask when the store is closed.
    std::shared_ptr<const std::atomic<bool>> failed_flag() const noexcept { return failed_; }
    /// What it threw, once failed().
    std::exception_ptr failure() const noexcept;
    /// `Stats::Engine::reserve_bytes`, also after this is gone.
    std::shared_ptr<const std::atomic<std::uint64_t>> reserve_bytes() const noexcept;
    /// `storage_failed` if the location does not lead to this store's directory any more: it was
    /// moved, removed or replaced.
    void check_place() const;

    // History and space; called by the thread that writes groups.
    /// Adds a record to a batch, in parts if it is long.
    static void put_record(Batch& batch, Revision revision, std::string_view record);
    /// What must not be trimmed. Open pins what is behind each cursor; then it is the business of
    /// who writes cursors.
    HistoryPins& pins() const noexcept;
    /// Finds the oldest records that should go because `keep` says that too much is kept, and makes
    /// steps of their removal, to be written in this order, each in one batch: never the newest
    /// record, and none that is pinned unless the hard limit is exceeded. What was planned must be
    /// written before more is.
    std::vector<TrimStep> plan_trim(const HistoryState& state, const HistoryLimits& keep, Time now,
                                    TrimAmount most);
    /// Plans a single step and writes it. Advances `state`; gives how many records were removed.
    std::size_t trim(HistoryState& state, const HistoryLimits& keep, Time now, std::size_t most);
    /// Erases at most `most` of the keys that begin with this prefix, which has an orphan_key; true
    /// once they are gone.
    bool erase_orphan(const std::string& prefix, std::size_t most);

    // Not holding up an event loop in buffered mode.
    /// Whether a write of this size may block for longer than an append: the memory table is about
    /// to be rotated, or LevelDB has too many files to compact.
    bool may_stall(std::size_t bytes) const;
    /// Whether the memory table is so full that prepare_rotation should be called.
    bool wants_rotation() const;
    /// Syncs the log and rotates the memory table, if that is possible without a stall.
    void prepare_rotation();

private:
    struct Impl;
    class Opening;
    Store();
    /// Precondition: no write is under way, nor can one begin.
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
