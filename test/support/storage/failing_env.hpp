// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "storage/files/disk.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::test {

/// Passes every call on to another Env, and makes one of them fail, once: as when the system is
/// short of a resource for a moment.
///
/// Thread safety: all members may be called from any thread.
class FailingEnv final : public leveldb::EnvWrapper, public storage::Disk {
public:
    enum class Call { open, read, append, sync, close, rename, remove, list, look };
    /// Returns true if a call on this file is to fail.
    using Which = std::function<bool(Call call, const std::string& name)>;

    /// `base` (which is a storage::Disk too) is not owned.
    explicit FailingEnv(leveldb::Env& base);

    /// Makes the nth such call from now (from 1) fail with this message of the system. Half of the
    /// data of a failing append is written.
    void fail(std::uint64_t nth, std::string text, Which which = {});
    /// Makes reads of sequential files return less than was asked for.
    void read_little(bool little) { little_ = little; }
    /// Returns the call that has failed.
    std::optional<Call> failed_call() const;
    /// Returns that call and its file.
    std::string failure() const;

    // storage::Disk
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;

    // leveldb::Env
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

private:
    class Reader;
    class RandomReader;
    class Writer;

    /// Returns the error of this call, if it is to fail.
    leveldb::Status begin(Call call, const std::string& name);

    storage::Disk& disk_;
    mutable std::mutex mutex_;
    std::uint64_t left_ = 0;
    std::string text_;
    Which which_;
    std::optional<Call> failed_call_;
    std::string failure_;
    bool little_ = false;
};

}  // namespace keywatch::test
