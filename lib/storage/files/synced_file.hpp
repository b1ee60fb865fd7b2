// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "environment.hpp"

#include <leveldb/env.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace keywatch::storage {

/// How far one open file has been flushed and synced. Shared by the file and, for the current log,
/// by whoever syncs it from another thread.
struct OpenFile {
    explicit OpenFile(std::string name_) : name(std::move(name_)) {}

    const std::string name;
    std::atomic<std::uint64_t> flushed{0};
    std::atomic<std::uint64_t> synced{0};
    std::atomic<bool> entry_synced{false};
    /// The system may forget what it could not write, and then report success.
    std::atomic<bool> sync_failed{false};

    // Only for the thread that writes the file.
    std::uint64_t appended = 0;
    leveldb::WritableFile* open = nullptr;  ///< until it is closed
    bool gets_mark = false;                 ///< a log that was begun here

    bool clean() const noexcept { return synced.load() >= appended; }
};

/// A file that is synced before it is closed, and whose first sync makes its name durable too.
/// Nothing is appended any more once something of it could not be written or synced: LevelDB does
/// that to its manifest, and cannot read what comes behind a torn record.
class SyncedFile final : public leveldb::WritableFile {
public:
    SyncedFile(Environment& environment, std::shared_ptr<OpenFile> file,
               leveldb::WritableFile* base);
    ~SyncedFile() override;

    leveldb::Status Append(const leveldb::Slice& data) override;
    leveldb::Status Flush() override;
    leveldb::Status Sync() override;
    leveldb::Status Close() override;

private:
    leveldb::Status finish();

    Environment& environment_;
    std::shared_ptr<OpenFile> file_;
    std::unique_ptr<leveldb::WritableFile> base_;
    bool torn_ = false;
    bool failed_ = false;
};

/// Makes a number that others may be raising too at least so large.
inline void raise(std::atomic<std::uint64_t>& number, std::uint64_t to)
{
    std::uint64_t old = number.load();
    while (old < to && !number.compare_exchange_weak(old, to)) {
    }
}

}  // namespace keywatch::storage
