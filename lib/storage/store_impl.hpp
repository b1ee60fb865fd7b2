// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "store.hpp"

#include "storage/files/directory.hpp"
#include "storage/files/environment.hpp"
#include "storage/files/overlay_env.hpp"
#include "storage/files/reserve.hpp"
#include "values/mutex.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace keywatch::storage {

/// An estimate of the state of LevelDB's memory table. Asking LevelDB would take the mutex that a
/// rotation holds. The estimate uses relaxed atomics: writers update it, and any thread may read
/// it.
struct MemoryTable {
    std::atomic<std::size_t> bytes{0};
    std::atomic<std::uint64_t> log{0};

    /// Resets the size if a log was created, since a new log means a new memory table.
    void notice(std::uint64_t logs_created)
    {
        std::uint64_t known = log.load(std::memory_order_relaxed);
        if (known < logs_created &&
            log.compare_exchange_strong(known, logs_created, std::memory_order_relaxed)) {
            bytes.store(0, std::memory_order_relaxed);
        }
    }
};

/// The objects that LevelDB runs on, in the order of construction: the database is closed first.
struct Store::Impl {
    Impl(const Options& options, leveldb::Env* given);
    ~Impl();

    void open_database();
    void close_database();
    /// Ends an open that has failed (undo_open) or succeeded (finish_open).
    void undo_open();
    void finish_open();
    /// Creates or adjusts the reserve once there is more data than one memory table holds, and
    /// again after every rotation.
    void keep_reserve() KEYWATCH_REQUIRES(writing);
    std::size_t level0_files() const;
    /// Returns the revision of the newest record, or 0 if there is none.
    Revision newest_record(leveldb::Iterator& iterator) const;
    std::optional<std::string> get(std::string_view key, const leveldb::Snapshot* at) const;
    std::optional<std::uint64_t> number(std::string_view key, const leveldb::Snapshot* at) const;
    /// Returns the oldest revision in history. Commits without a record followed all records up to
    /// the head key, so history starts after that revision, even if older records are still stored.
    Revision oldest(const leveldb::Snapshot* at) const;
    std::unique_ptr<leveldb::Iterator> iterate(const leveldb::Snapshot* at, bool fill_cache) const;

    const bool read_only;
    const std::size_t write_buffer_bytes;
    std::unique_ptr<leveldb::Env> memory;
    const Location location;
    Reserve reserve;
    std::unique_ptr<OverlayEnv> overlay;  ///< only if read-only
    std::optional<Directory> directory;
    Environment environment;
    std::unique_ptr<leveldb::Logger> log;
    std::unique_ptr<leveldb::Cache> cache;
    std::unique_ptr<const leveldb::FilterPolicy> filter;
    std::unique_ptr<leveldb::DB> db;
    /// True if a LevelDB call ran out of memory and left a state in which the destructor of `db`
    /// would end the program. `db` is then leaked.
    mutable std::atomic<bool> is_torn{false};

    /// Held while LevelDB writes. After a failed append, LevelDB continues with the next queued
    /// writer. With this mutex, the next writer sees the failure first and does not append to a
    /// torn log.
    Mutex writing;
    /// Error of the first failed write. Set before Store::failed_, and constant from then on.
    std::exception_ptr failure KEYWATCH_GUARDED_BY(writing);
    /// The logs_created() that keep_reserve has seen.
    std::uint64_t logs_seen KEYWATCH_GUARDED_BY(writing) = 1;
    MemoryTable table;
    /// Set once history has been read.
    std::optional<HistoryPins> pins;
    mutable std::atomic<std::uint64_t> level0_seen_at{UINT64_MAX};
    mutable std::atomic<std::size_t> level0{0};

    // Used only by the thread that trims and erases.
    Revision trim_from = 1;  ///< no record is older
    std::string erasing;
    std::string erased_to;
};

}  // namespace keywatch::storage
