// SPDX-License-Identifier: BSL-1.0
#include "power_loss_env.hpp"

#include "storage/files/background_thread.hpp"

#include <algorithm>

namespace keywatch::test {

namespace {

using leveldb::Slice;
using leveldb::Status;

}  // namespace

struct PowerLossEnv::Lock : leveldb::FileLock {
    std::string name;
};

class PowerLossEnv::Appender final : public leveldb::WritableFile {
public:
    Appender(PowerLossEnv& env, std::string name, std::shared_ptr<Inode> inode)
        : env_(env), name_(std::move(name)), inode_(std::move(inode))
    {
    }
    Status Append(const Slice& data) override { return env_.append(name_, *inode_, data); }
    Status Sync() override { return env_.sync(name_, *inode_); }
    Status Flush() override { return Status::OK(); }
    Status Close() override { return Status::OK(); }

private:
    PowerLossEnv& env_;
    std::string name_;
    std::shared_ptr<Inode> inode_;
};

/// Reads with the Env's mutex held, as files may grow at the same time.
class PowerLossEnv::Reader final : public leveldb::SequentialFile,
                                   public leveldb::RandomAccessFile {
public:
    Reader(const PowerLossEnv& env, std::shared_ptr<Inode> inode)
        : env_(env), inode_(std::move(inode))
    {
    }
    Status Read(std::size_t size, Slice* result, char* scratch) override
    {
        Status status = Read(at_, size, result, scratch);
        at_ += result->size();
        return status;
    }
    Status Skip(std::uint64_t size) override
    {
        at_ += size;
        return Status::OK();
    }
    Status Read(std::uint64_t offset, std::size_t size, Slice* result, char* scratch) const override
    {
        const std::lock_guard lock(env_.mutex_);
        *result = Slice(scratch, 0);
        if (Status status = env_.fail_if_dark(); !status.ok()) {
            return status;
        }
        const std::string& bytes = inode_->bytes;
        if (offset < bytes.size()) {
            *result = Slice(scratch, bytes.copy(scratch, size, static_cast<std::size_t>(offset)));
        }
        return Status::OK();
    }

private:
    const PowerLossEnv& env_;
    std::shared_ptr<Inode> inode_;
    std::uint64_t at_ = 0;
};

Status PowerLossEnv::NewSequentialFile(const std::string& name, leveldb::SequentialFile** file)
{
    const std::lock_guard lock(mutex_);
    const auto found = now_.files.find(name);
    *file = nullptr;
    if (dark_ || found == now_.files.end()) {
        return dark_ ? fail_if_dark() : Status::NotFound(name, "no such file");
    }
    *file = new Reader(*this, found->second);
    return Status::OK();
}

Status PowerLossEnv::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** file)
{
    const std::lock_guard lock(mutex_);
    const auto found = now_.files.find(name);
    *file = nullptr;
    if (dark_ || found == now_.files.end()) {
        return dark_ ? fail_if_dark() : Status::NotFound(name, "no such file");
    }
    *file = new Reader(*this, found->second);
    return Status::OK();
}

void PowerLossEnv::wait_while_held(std::unique_lock<std::mutex>& lock)
{
    if (storage::BackgroundThread::is_current()) {
        released_.wait(lock, [this] { return !holding_; });
    }
}

Status PowerLossEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    std::unique_lock lock(mutex_);
    wait_while_held(lock);
    *file = nullptr;
    if (!now_.directories.contains(parent_of(name))) {
        return Status::NotFound(name, "no such directory");
    }
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    auto inode = std::make_shared<Inode>();
    change({Change::Kind::file_made, name, {}, inode});
    *file = new Appender(*this, name, std::move(inode));
    return Status::OK();
}

Status PowerLossEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file)
{
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = now_.files.find(name); found != now_.files.end() && !dark_) {
            *file = new Appender(*this, name, found->second);
            return Status::OK();
        }
    }
    return NewWritableFile(name, file);
}

bool PowerLossEnv::FileExists(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    return !dark_ && (now_.files.contains(name) || now_.directories.contains(name));
}

Status PowerLossEnv::GetChildren(const std::string& directory, std::vector<std::string>* names)
{
    const std::lock_guard lock(mutex_);
    names->clear();
    if (dark_ || !now_.directories.contains(directory)) {
        return dark_ ? fail_if_dark() : Status::NotFound(directory, "no such directory");
    }
    for (const auto& [name, inode] : now_.files) {
        if (parent_of(name) == directory) {
            names->push_back(name.substr(name.rfind('/') + 1));
        }
    }
    return Status::OK();
}

Status PowerLossEnv::RemoveFile(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    if (!now_.files.contains(name)) {
        return Status::NotFound(name, "no such file");
    }
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    give_back(name);
    change({Change::Kind::file_removed, name, {}, nullptr});
    return Status::OK();
}

Status PowerLossEnv::CreateDir(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    if (now_.directories.contains(name) || !now_.directories.contains(parent_of(name))) {
        return Status::IOError(name, "cannot be made");
    }
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    change({Change::Kind::directory_made, name, {}, nullptr});
    return Status::OK();
}

Status PowerLossEnv::RemoveDir(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    change({Change::Kind::directory_removed, name, {}, nullptr});
    return Status::OK();
}

Status PowerLossEnv::GetFileSize(const std::string& name, std::uint64_t* size)
{
    const std::lock_guard lock(mutex_);
    const auto found = now_.files.find(name);
    if (dark_ || found == now_.files.end()) {
        return dark_ ? fail_if_dark() : Status::NotFound(name, "no such file");
    }
    *size = found->second->bytes.size() + found->second->reserved;
    return Status::OK();
}

Status PowerLossEnv::RenameFile(const std::string& from, const std::string& to)
{
    const std::lock_guard lock(mutex_);
    const auto found = now_.files.find(from);
    if (found == now_.files.end()) {
        return Status::NotFound(from, "no such file");
    }
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    give_back(to);
    change({Change::Kind::file_renamed, from, to, found->second});
    return Status::OK();
}

Status PowerLossEnv::LockFile(const std::string& name, leveldb::FileLock** lock)
{
    const std::lock_guard guard(mutex_);
    *lock = nullptr;
    if (Status status = begin_operation(); !status.ok()) {
        return status;
    }
    if (!locked_.insert(name).second) {
        return Status::IOError("lock " + name, "already held");
    }
    if (!now_.files.contains(name)) {
        change({Change::Kind::file_made, name, {}, std::make_shared<Inode>()});
    }
    auto* held = new Lock;
    held->name = name;
    *lock = held;
    return Status::OK();
}

Status PowerLossEnv::UnlockFile(leveldb::FileLock* lock)
{
    const std::unique_ptr<Lock> held(static_cast<Lock*>(lock));
    const std::lock_guard guard(mutex_);
    locked_.erase(held->name);
    return Status::OK();
}

void PowerLossEnv::Schedule(void (*function)(void*), void* argument)
{
    {
        const std::lock_guard lock(mutex_);
        if (holding_) {
            held_.emplace_back(function, argument);
            return;
        }
    }
    target()->Schedule(function, argument);
}

Status PowerLossEnv::NewLogger(const std::string& name, leveldb::Logger** logger)
{
    *logger = nullptr;
    return Status::NotSupported(name, "no logs here");
}

}  // namespace keywatch::test
