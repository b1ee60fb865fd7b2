// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/mutex.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace keywatch::storage {

/// An Env that keeps files in memory in front of those of another Env, which is only read. Files
/// that LevelDB creates, renames and removes when it opens a database change nothing on disk.
///
/// Background work must be held (Environment::hold_background): it would compact the database into
/// memory.
///
/// Thread safety: all members, from any thread.
class OverlayEnv final : public leveldb::EnvWrapper {
public:
    /// `below` is not owned.
    explicit OverlayEnv(leveldb::Env* below);
    ~OverlayEnv() override;

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
    leveldb::Status RemoveDir(const std::string& name) override;
    leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
    leveldb::Status UnlockFile(leveldb::FileLock* lock) override;

private:
    /// Returns the Env that has the file, or null if it was removed here.
    leveldb::Env* env_of(const std::string& name) const;
    void take(const std::string& name);

    const std::unique_ptr<leveldb::Env> memory_;
    mutable Mutex mutex_;
    /// Names of the files in memory.
    std::set<std::string> made_ KEYWATCH_GUARDED_BY(mutex_);
    /// Names of removed files of the Env below.
    std::set<std::string> removed_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch::storage
