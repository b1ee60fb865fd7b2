// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "background_thread.hpp"
#include "disk.hpp"

#include "storage/log/log_mark.hpp"
#include "storage/log/log_recovery.hpp"
#include "values/mutex.hpp"

#include <leveldb/env.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::storage {

struct OpenFile;
class SyncedFile;

/// The Env that LevelDB runs on. It closes the gaps by which LevelDB 1.23 can lose acknowledged
/// writes (doc/storage.md), and reports the state of the log to the engine.
///
/// 1. A log file is synced before the next one is created, so that a power cut leaves a prefix of
///    what was written. If the sync fails, the write that needs the next log fails too, before any
///    of it is visible.
/// 2. Every file is synced before it is closed, even if it is only destroyed, as logs are.
/// 3. The first sync of a file, and every rename, sync the directory too. Exceptions: a manifest,
///    for which `base` does that, and a file that is to be renamed. Removals need no sync: if a
///    removed file reappears after a power cut, LevelDB ignores it and removes it again.
/// 4. Nothing is appended to a file after a failed write or sync of it.
/// 5. While a database is opened, its logs and its manifest are checked (LogRecovery).
/// 6. A complete log gets a mark at its end (LogMark). A log that LevelDB has rotated away from
///    gets it as soon as a table is begun, which is what LevelDB's background thread does next. The
///    last log gets it when it is closed. Nothing depends on whether that succeeds.
/// 7. Every read of a table is checked (CheckedTable).
/// 8. Background work has a thread of its own, which exists from the beginning.
///
/// Everything else is forwarded to `base`, which tests replace by an Env that fails or loses data.
class Environment : public leveldb::EnvWrapper {
public:
    /// `base` and `disk` are not owned. If `disk` is null, the files are not on a disk (LevelDB's
    /// in-memory Env), so that directories, and files from other threads, need no sync. Throws
    /// `open_failed` if the system cannot start a thread.
    Environment(leveldb::Env* base, Disk* disk);
    ~Environment() override;

    leveldb::Status NewSequentialFile(const std::string& name,
                                      leveldb::SequentialFile** file) override;
    leveldb::Status NewRandomAccessFile(const std::string& name,
                                        leveldb::RandomAccessFile** file) override;
    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
    leveldb::Status NewAppendableFile(const std::string& name,
                                      leveldb::WritableFile** file) override;
    /// Returns false only if the directory was read and has no such file: LevelDB creates a new
    /// database if it does not find CURRENT.
    bool FileExists(const std::string& name) override;
    leveldb::Status RemoveFile(const std::string& name) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    void Schedule(void (*function)(void*), void* argument) override;

    /// Holds background work from now on: a database that is only read must not be compacted.
    void hold_background();
    /// Runs the work that was held, and all later work. LevelDB waits for its work when it closes;
    /// the work then does nothing.
    void release_background();

    /// Begins and ends the time in which LevelDB opens the database, on the calling thread.
    void begin_recovery() { recovery_.emplace(*target()); }
    void end_recovery() { recovery_.reset(); }

    /// Syncs the current log file as far as it has been written, from any thread, even while
    /// another thread appends. The next rotation then has little left to sync.
    leveldb::Status sync_log();

    /// Returns the number of log files created. It changes when LevelDB rotates its memory table.
    std::uint64_t logs_created() const noexcept
    {
        return logs_created_.load(std::memory_order_relaxed);
    }
    /// Returns true if an old log still waits for its memory table to be written out. Until then, a
    /// second rotation would stall the writer.
    bool old_log_pending() const noexcept { return logs_.load(std::memory_order_relaxed) > 1; }
    /// Returns a number that changes whenever a file was created or removed.
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_relaxed); }

    /// Returns true if a sync failed that was not, or could not be, reported to LevelDB. The store
    /// must treat it as a failed write. From then on, removals are refused, since the files that
    /// replace the removed ones may not be durable.
    bool close_failed() const noexcept { return close_failed_.load(std::memory_order_relaxed); }
    /// Returns the first such failure, or OK if there was none.
    leveldb::Status close_failure() const;

    /// Holds removals: from now on, files that LevelDB removes are kept. An open that fails can
    /// then be undone, and a backup finds the files it copies. hold_removals() waits for removals
    /// that are running. Calls are counted: the last release_removals() removes the files, except
    /// those created again since. (After a crash there may be tables that no manifest names, and
    /// LevelDB reuses their numbers.)
    void hold_removals();
    void release_removals();

    /// Calls hold_removals(). Until end_trial(), if LevelDB creates a file with the name of a file
    /// that existed before, the old file gets another name (aside_name). An open that fails can
    /// then be undone, even after a crash, when there may be tables that no manifest names. See
    /// Trial.
    void begin_trial();
    void end_trial();

    /// Returns the log files that LevelDB has not removed, sorted by name, so the oldest one is
    /// first.
    std::set<std::string> logs() const;

private:
    friend class SyncedFile;

    leveldb::Status wrap(leveldb::Status status, const std::string& name, bool made,
                         leveldb::WritableFile** file);
    leveldb::Status sync_current_log() KEYWATCH_EXCLUDES(mutex_);
    /// Called when LevelDB has closed a log, all of which is synced.
    void finish_log(std::shared_ptr<OpenFile> log, std::unique_ptr<leveldb::WritableFile> file)
        KEYWATCH_EXCLUDES(mutex_);
    void mark_rotated_logs() KEYWATCH_EXCLUDES(mutex_);
    /// Precondition: the name is in removing_.
    leveldb::Status remove(const std::string& name) KEYWATCH_EXCLUDES(mutex_);
    /// Called before a file of this name is created. Cancels a held removal of the name, and waits
    /// for one that is running.
    void keep(const std::string& name) KEYWATCH_EXCLUDES(mutex_);
    leveldb::Status sync_entry(OpenFile& file) KEYWATCH_EXCLUDES(mutex_);
    leveldb::Status set_aside(const std::string& name) KEYWATCH_EXCLUDES(mutex_);
    void note_close_failure(const leveldb::Status& status) KEYWATCH_EXCLUDES(mutex_);

    Disk* disk_;
    std::optional<LogRecovery> recovery_;
    // Relaxed: each is a number of its own. What else changed with it is guarded by mutex_, or by
    // LevelDB's mutex.
    std::atomic<std::uint64_t> logs_created_{0};
    std::atomic<std::uint64_t> changes_{0};
    std::atomic<std::size_t> logs_{0};
    std::atomic<bool> close_failed_{false};

    mutable Mutex mutex_;  ///< never held during input or output
    std::shared_ptr<OpenFile> log_ KEYWATCH_GUARDED_BY(mutex_);
    /// Logs that do not have their mark yet.
    std::vector<std::pair<std::shared_ptr<OpenFile>, std::unique_ptr<leveldb::WritableFile>>>
        rotated_ KEYWATCH_GUARDED_BY(mutex_);
    std::set<std::string> log_names_ KEYWATCH_GUARDED_BY(mutex_);
    std::set<std::string> held_removals_ KEYWATCH_GUARDED_BY(mutex_);
    std::size_t holds_ KEYWATCH_GUARDED_BY(mutex_) = 0;
    leveldb::Status close_failure_ KEYWATCH_GUARDED_BY(mutex_);
    /// Removals that are running.
    std::multiset<std::string> removing_ KEYWATCH_GUARDED_BY(mutex_);
    bool background_held_ KEYWATCH_GUARDED_BY(mutex_) = false;
    std::vector<std::pair<void (*)(void*), void*>> held_work_ KEYWATCH_GUARDED_BY(mutex_);
    bool trial_ KEYWATCH_GUARDED_BY(mutex_) = false;
    std::set<std::string> made_on_trial_ KEYWATCH_GUARDED_BY(mutex_);
    std::condition_variable removed_;

    BackgroundThread background_;
};

}  // namespace keywatch::storage
