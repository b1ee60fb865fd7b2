// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "disk.hpp"
#include "held_directory.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::storage {

/// An Env of the operating system's files that replaces LevelDB's own where that is not suitable.
///
/// Files for random access are read with `pread`. LevelDB's Env maps them into memory: a read error
/// of the disk is then a signal, blocks never enter the block cache, and a file that becomes
/// shorter kills the process.
///
/// New files and directories can be used by their owner only. The files of the held directory
/// (HeldDirectory) are opened and changed through it. No file is created in it once its path leads
/// elsewhere.
///
/// Thread safety: `hold` must be called before any other member. The others may be called from any
/// thread.
class DiskEnv final : public leveldb::EnvWrapper, public Disk {
public:
    DiskEnv();
    ~DiskEnv() override;

    /// Opens a directory and holds it. May be called at most once.
    leveldb::Status hold(const std::string& directory);
    /// Returns the held directory, or null if there is none.
    const HeldDirectory* held() const noexcept { return held_.get(); }

    /// Opens a file. If it is in the held directory, it must pass the checks of HeldDirectory.
    OpenedFile open_file(const std::string& name, int flags) const;
    /// Adds a second name for a file in the held directory. Fails if that name exists.
    leveldb::Status link_file(const std::string& name, const std::string& second) const;

    // Env.
    leveldb::Status NewSequentialFile(const std::string& name,
                                      leveldb::SequentialFile** file) override;
    leveldb::Status NewRandomAccessFile(const std::string& name,
                                        leveldb::RandomAccessFile** file) override;
    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
    leveldb::Status NewAppendableFile(const std::string& name,
                                      leveldb::WritableFile** file) override;
    bool FileExists(const std::string& name) override;
    leveldb::Status GetChildren(const std::string& directory,
                                std::vector<std::string>* names) override;
    leveldb::Status RemoveFile(const std::string& name) override;
    leveldb::Status CreateDir(const std::string& name) override;
    leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
    leveldb::Status UnlockFile(leveldb::FileLock* lock) override;

    // Disk.
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;
    leveldb::Status reserve(const std::string& name, std::uint64_t bytes) override;
    std::optional<std::uint64_t> free_bytes(const std::string& directory) override;

private:
    struct Entry {
        int directory;
        std::string name;
    };
    class Lock;

    Entry entry_of(const std::string& name) const;
    leveldb::Status open_writer(const std::string& name, int flags, leveldb::WritableFile** file);

    std::unique_ptr<HeldDirectory> held_;
    std::string held_path_;
};

/// Returns an Env that holds no directory.
leveldb::Env& disk_env();

}  // namespace keywatch::storage
