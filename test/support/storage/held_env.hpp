// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>
#include <leveldb/helpers/memenv.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace keywatch::test {

/// Files in memory whose logs' appends and syncs are counted. A test can hold the syncs of logs, so
/// that it sees what is not durable yet, and can make them fail.
class HeldEnv final : public leveldb::EnvWrapper {
public:
    HeldEnv() : HeldEnv(std::unique_ptr<leveldb::Env>(leveldb::NewMemEnv(leveldb::Env::Default())))
    {
    }

    void hold()
    {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }
    void release()
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }
    /// Makes syncs of logs fail from now on.
    void fail_syncs()
    {
        const std::lock_guard lock(mutex_);
        failing_ = true;
    }
    bool somebody_waits() const
    {
        const std::lock_guard lock(mutex_);
        return waiting_ > 0;
    }
    std::size_t appends() const
    {
        const std::lock_guard lock(mutex_);
        return appends_;
    }
    std::size_t syncs() const
    {
        const std::lock_guard lock(mutex_);
        return syncs_;
    }

    leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override
    {
        leveldb::Status status = target()->NewWritableFile(name, file);
        if (status.ok() && name.ends_with(".log")) {
            *file = new Log(*this, std::unique_ptr<leveldb::WritableFile>(*file));
        }
        return status;
    }

private:
    class Log final : public leveldb::WritableFile {
    public:
        Log(HeldEnv& env, std::unique_ptr<leveldb::WritableFile> file)
            : env_(env), file_(std::move(file))
        {
        }
        leveldb::Status Append(const leveldb::Slice& data) override
        {
            const std::lock_guard lock(env_.mutex_);
            ++env_.appends_;
            return file_->Append(data);
        }
        leveldb::Status Close() override { return file_->Close(); }
        leveldb::Status Flush() override { return file_->Flush(); }
        leveldb::Status Sync() override
        {
            const leveldb::Status status = env_.sync();
            return status.ok() ? file_->Sync() : status;
        }

    private:
        HeldEnv& env_;
        std::unique_ptr<leveldb::WritableFile> file_;
    };

    explicit HeldEnv(std::unique_ptr<leveldb::Env> memory)
        : EnvWrapper(memory.get()), memory_(std::move(memory))
    {
    }

    leveldb::Status sync()
    {
        std::unique_lock lock(mutex_);
        ++syncs_;
        ++waiting_;
        changed_.wait(lock, [this] { return !held_; });
        --waiting_;
        return failing_ ? leveldb::Status::IOError("no more") : leveldb::Status::OK();
    }

    const std::unique_ptr<leveldb::Env> memory_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    bool failing_ = false;
    std::size_t waiting_ = 0;
    std::size_t appends_ = 0;
    std::size_t syncs_ = 0;
};

}  // namespace keywatch::test
