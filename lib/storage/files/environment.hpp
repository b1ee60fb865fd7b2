// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "background_thread.hpp"
#include "disk.hpp"

#include "storage/log/log_mark.hpp"
#include "storage/log/log_recovery.hpp"

#include <leveldb/env.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::storage {

struct OpenFile;
class SyncedFile;

/// The Env that LevelDB runs on: closes the weaknesses by which LevelDB 1.23 can lose what it
/// acknowledged (doc/storage.md), and tells the engine what the log is doing.
///
/// 1. A log file is synced before the next one is created, so that a power cut leaves a prefix of
///    what was written. If that fails, so does the write that wanted the next log, before anything
///    of it is visible.
/// 2. Any file is synced before it is closed, also when it is only destroyed, as logs are.
/// 3. A file's first sync, and a rename, sync the directory too; not that of a manifest, with which
///    `base` does that, nor of what is to be renamed. Removals need no sync: LevelDB ignores and
///    removes again what comes back after a power cut.
/// 4. Nothing is appended to a file behind what could not be written or synced.
/// 5. While a database is opened, its logs and its manifest are checked (LogRecovery).
/// 6. A log that is complete gets a mark at its end (LogMark): one that LevelDB has rotated away
///    from as soon as a table is begun, which is what its background thread does next, and the
///    last one when it is closed. Nothing depends on whether that succeeds.
/// 7. Nothing of a table is believed that is not what was written (CheckedTable).
/// 8. Background work has a thread of its own, which is there from the beginning.
///
/// Everything else goes to `base`, which a test replaces by one that fails or forgets.
class Environment : public leveldb::EnvWrapper {
public:
    /// `base` and `disk` are not owned. No disk: the files are not on one (LevelDB's in-memory
    /// Env), so that directories, and files from other threads, need no sync. Throws `open_failed`
    /// if the system gives no thread.
    Environment(leveldb::Env* base, Disk* disk);
    ~Environment() override;

    leveldb::Status NewSequentialFile(const std::string& name,
                                      leveldb::SequentialFile** file) override;
    leveldb::Status NewRandomAccessFile(const std::string& name,
                                        leveldb::RandomAccessFile** file) override;
    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
    leveldb::Status NewAppendableFile(const std::string& name,
                                      leveldb::WritableFile** file) override;
    /// False only if the directory was read and has no such file: LevelDB makes a new database
    /// where it does not find CURRENT.
    bool FileExists(const std::string& name) override;
    leveldb::Status RemoveFile(const std::string& name) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    void Schedule(void (*function)(void*), void* argument) override;

    /// Background work waits from now on: a database that is only read is not to be compacted.
    void hold_background();
    /// What waits is done, and what comes too. LevelDB waits for it when it closes, and then has it
    /// do nothing.
    void release_background();

    /// Between these two LevelDB opens the database, on the thread that calls them.
    void begin_recovery() { recovery_.emplace(*target()); }
    void end_recovery() { recovery_.reset(); }

    /// Syncs what the current log file has so far, from any thread, while another one appends. So
    /// a rotation has little left to sync.
    leveldb::Status sync_log();

    /// How many log files were created: changes when LevelDB rotates its memory table.
    std::uint64_t logs_created() const noexcept
    {
        return logs_created_.load(std::memory_order_acquire);
    }
    /// Whether an old log still waits for its memory table to be written out: until then a second
    /// rotation would stall the writer.
    bool old_log_pending() const noexcept { return logs_.load(std::memory_order_acquire) > 1; }
    /// Changes whenever a file was created or removed.
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_acquire); }

    /// Whether a sync failed that LevelDB was not, or could not be, told of: the store must treat
    /// it as a failed write. Removals are refused from then on, since what was meant to replace
    /// the files may not last.
    bool close_failed() const noexcept { return close_failed_.load(std::memory_order_acquire); }
    /// The first of them; success if there was none.
    leveldb::Status close_failure() const;

    /// From hold_removals() on, which waits for removals under way, files stay although LevelDB
    /// removes them: so an open that turns out to be impossible can be undone, and a backup finds
    /// what it is to copy. The release_removals() of the last one who holds makes up for it, but
    /// for files that were made anew: after a crash there may be tables that no manifest knows, and
    /// LevelDB gives their numbers again.
    void hold_removals();
    void release_removals();

    /// hold_removals(), and until end_trial() a file that was there before gets another name
    /// (aside_name) when LevelDB makes one of its name. So an open that fails can be undone, also
    /// after a crash, when there are tables that no manifest knows. See Trial.
    void begin_trial();
    void end_trial();

    /// The log files that LevelDB has not removed; by name, so oldest first.
    std::set<std::string> logs() const;

private:
    friend class SyncedFile;

    leveldb::Status wrap(leveldb::Status status, const std::string& name, bool made,
                         leveldb::WritableFile** file);
    leveldb::Status sync_current_log();
    /// LevelDB is done with a log, all of which is synced.
    void finish_log(std::shared_ptr<OpenFile> log, std::unique_ptr<leveldb::WritableFile> file);
    void mark_rotated_logs();
    /// Precondition: the name is among removing_.
    leveldb::Status remove(const std::string& name);
    /// A file of this name is about to be made. Its removal is no longer due, and not under way.
    void keep(const std::string& name);
    leveldb::Status sync_entry(OpenFile& file);
    leveldb::Status set_aside(const std::string& name);
    void note_close_failure(const leveldb::Status& status);

    Disk* disk_;
    std::optional<LogRecovery> recovery_;
    std::atomic<std::uint64_t> logs_created_{0};
    std::atomic<std::uint64_t> changes_{0};
    std::atomic<std::size_t> logs_{0};
    std::atomic<bool> close_failed_{false};

    // Under mutex_, which is never held during input or output.
    mutable std::mutex mutex_;
    std::shared_ptr<OpenFile> log_;
    std::vector<std::pair<std::shared_ptr<OpenFile>, std::unique_ptr<leveldb::WritableFile>>>
        rotated_;  ///< logs that have yet to get their mark
    std::set<std::string> log_names_;
    std::set<std::string> held_removals_;
    std::size_t holds_ = 0;
    leveldb::Status close_failure_;
    std::multiset<std::string> removing_;  ///< removals under way
    bool background_held_ = false;
    std::vector<std::pair<void (*)(void*), void*>> held_work_;
    bool trial_ = false;
    std::set<std::string> made_on_trial_;
    std::condition_variable removed_;

    BackgroundThread background_;
};

}  // namespace keywatch::storage
