// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "store.hpp"

#include "storage/files/directory.hpp"
#include "storage/files/environment.hpp"
#include "storage/files/overlay_env.hpp"
#include "storage/files/reserve.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace keywatch::storage {

/// What the store knows of LevelDB's memory table, without asking for it: asking takes the mutex
/// that a rotation holds. Loosely counted by whoever writes, read by anybody.
struct MemoryTable {
    std::atomic<std::size_t> bytes{0};
    std::atomic<std::uint64_t> log{0};

    /// A new log means a new table.
    void notice(std::uint64_t logs_created)
    {
        std::uint64_t known = log.load(std::memory_order_relaxed);
        if (known < logs_created &&
            log.compare_exchange_strong(known, logs_created, std::memory_order_relaxed)) {
            bytes.store(0, std::memory_order_relaxed);
        }
    }
};

/// What LevelDB runs on, in the order in which it is made: the database is closed first.
struct Store::Impl {
    Impl(const Options& options, leveldb::Env* given);
    ~Impl();

    void open_database();
    void close_database();
    /// The open has failed, or it has succeeded.
    void undo_open();
    void finish_open();
    /// Once there is more than one memory table's data, and whenever there is one more. Writing is
    /// locked.
    void keep_reserve();
    std::size_t level0_files() const;
    /// The newest record's revision; 0 if there is none.
    Revision newest_record(leveldb::Iterator& iterator) const;
    std::optional<std::string> get(std::string_view key, const leveldb::Snapshot* at) const;
    std::optional<std::uint64_t> number(std::string_view key, const leveldb::Snapshot* at) const;
    /// The oldest revision that history has. All records up to the head key were overtaken by
    /// commits without one, so history starts behind them, whatever is still stored.
    Revision oldest(const leveldb::Snapshot* at) const;
    std::unique_ptr<leveldb::Iterator> iterate(const leveldb::Snapshot* at, bool fill_cache) const;

    const bool read_only;
    const std::size_t write_buffer_bytes;
    std::unique_ptr<leveldb::Env> memory;
    const Place place;
    Reserve reserve;
    std::unique_ptr<OverlayEnv> overlay;  ///< if it is read only
    std::optional<Directory> directory;
    Environment environment;
    std::unique_ptr<leveldb::Logger> log;
    std::unique_ptr<leveldb::Cache> cache;
    std::unique_ptr<const leveldb::FilterPolicy> filter;
    std::unique_ptr<leveldb::DB> db;
    /// A call of it has run out of memory, and has left things behind by which its destructor would
    /// end the program. So it is not destroyed.
    mutable std::atomic<bool> is_torn{false};

    /// Held while LevelDB writes. It lets writers queue, and goes on with the next one after a
    /// failed append; here the next one sees that, and does not add to a log that is torn.
    std::mutex writing;
    std::exception_ptr failure;   ///< of the first write that failed; set before Store::failed_ is
    std::uint64_t logs_seen = 1;  ///< by keep_reserve
    MemoryTable table;
    /// Known once history has been read.
    std::optional<HistoryPins> pins;
    mutable std::atomic<std::uint64_t> level0_seen_at{UINT64_MAX};
    mutable std::atomic<std::size_t> level0{0};

    // Only for the thread that trims and erases.
    Revision trim_from = 1;  ///< no record is older
    std::string erasing;
    std::string erased_to;
};

}  // namespace keywatch::storage
