// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/files/disk.hpp"

#include <leveldb/env.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace keywatch::test {

/// A disk that falsely reports success, so that a database must lose data on it. It shows that a
/// test would detect that.
class LyingDisk final : public leveldb::EnvWrapper, public storage::Disk {
public:
    enum class Lie {
        /// Logs are never synced; LevelDB by itself does not sync them without `sync`.
        log_syncs,
        /// One append to a log stops in the middle.
        torn_append,
    };

    /// `disk` (which is also a storage::Disk) is not owned. `nth`: the append that is torn, from 1.
    LyingDisk(leveldb::Env& disk, Lie lie, std::uint64_t nth = 0);

    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;

private:
    class Log;

    storage::Disk& disk_;
    const Lie lie_;
    const std::uint64_t nth_;
    std::atomic<std::uint64_t> appends_{0};
};

}  // namespace keywatch::test
