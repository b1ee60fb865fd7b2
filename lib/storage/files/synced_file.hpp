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

/// The number of bytes of an open file that have been flushed and synced. Shared by the file and,
/// for the current log, by the thread that syncs it.
struct OpenFile {
    explicit OpenFile(std::string name_) : name(std::move(name_)) {}

    const std::string name;
    // Sequentially consistent. In SyncedFile, a store follows the write or the sync that it
    // reports. In Environment::sync_log, a load of `flushed` precedes the sync that covers these
    // bytes, and in `clean`, a load of `synced` precedes the close.
    std::atomic<std::uint64_t> flushed{0};
    std::atomic<std::uint64_t> synced{0};
    std::atomic<bool> entry_synced{false};
    /// True if a sync from another thread failed. The system may discard what it could not write,
    /// and then report success.
    std::atomic<bool> sync_failed{false};

    // Used only by the thread that writes the file.
    std::uint64_t appended = 0;
    leveldb::WritableFile* open = nullptr;  ///< null once closed
    bool gets_mark = false;                 ///< true for a log that was created here

    bool clean() const noexcept { return synced.load() >= appended; }
};

/// A file that is synced before it is closed, and whose first sync makes its name durable too.
/// After a failed write or sync, nothing more is appended: LevelDB would continue to append to its
/// manifest, and cannot read what follows a torn record.
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

/// Raises `number` to at least `to`. Other threads may raise it at the same time.
inline void raise(std::atomic<std::uint64_t>& number, std::uint64_t to)
{
    std::uint64_t old = number.load();
    while (old < to && !number.compare_exchange_weak(old, to)) {
    }
}

}  // namespace keywatch::storage
