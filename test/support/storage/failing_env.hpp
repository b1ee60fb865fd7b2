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

/// Passes every call on to another Env, and lets one of them fail, once: what the system does when
/// it is short of something for a moment.
///
/// Thread safety: all members may be called from any thread.
class FailingEnv final : public leveldb::EnvWrapper, public storage::Disk {
public:
    enum class Call { open, read, append, sync, close, rename, remove, list, look };
    /// Whether a call on this file is meant.
    using Which = std::function<bool(Call call, const std::string& name)>;

    /// `base` (which is a storage::Disk too) is not owned.
    explicit FailingEnv(leveldb::Env& base);

    /// Lets the nth such call from now (from 1) fail with this text of the system. Of what it
    /// appends half is written.
    void fail(std::uint64_t nth, std::string text, Which which = {});
    /// Lets reads of sequential files give less than was asked for.
    void read_little(bool little) { little_ = little; }
    /// The call that has failed.
    std::optional<Call> failed_call() const;
    /// It and its file.
    std::string failure() const;

    // Disk.
    leveldb::Status sync_directory(const std::string& directory) override;
    leveldb::Status sync_file(const std::string& name) override;

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
    leveldb::Status RemoveDir(const std::string& name) override;
    leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

private:
    class Reader;
    class RandomReader;
    class Writer;

    /// The error of this call, if it is its turn to fail.
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
