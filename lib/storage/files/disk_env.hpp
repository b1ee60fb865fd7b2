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

/// The operating system's files, where LevelDB's own Env does not serve.
///
/// Files for random access are read with `pread`. LevelDB's Env maps them: then a read error of the
/// disk is a signal, blocks never enter the block cache, and a file that becomes shorter kills the
/// process.
///
/// New files and directories can be used by their owner only. The files of the directory that is
/// held (HeldDirectory) are opened and changed through it, and no file is made there once its path
/// leads elsewhere.
///
/// Thread safety: `hold` before anything else; the rest from any thread.
class DiskEnv final : public leveldb::EnvWrapper, public Disk {
public:
    DiskEnv();
    ~DiskEnv() override;

    /// Holds a directory. Once at most.
    leveldb::Status hold(const std::string& directory);
    /// The directory that is held; null if there is none.
    const HeldDirectory* held() const noexcept { return held_.get(); }

    /// Opens a file, which must be one of a database if it is in the directory that is held.
    OpenedFile open_file(const std::string& name, int flags) const;
    /// Gives a file of the directory that is held a second name in it. Fails if that is taken.
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
    struct Place {
        int directory;
        std::string name;
    };
    class Lock;

    Place place_of(const std::string& name) const;
    leveldb::Status open_writer(const std::string& name, int flags, leveldb::WritableFile** file);

    std::unique_ptr<HeldDirectory> held_;
    std::string held_path_;
};

/// One that holds no directory.
leveldb::Env& disk_env();

}  // namespace keywatch::storage
