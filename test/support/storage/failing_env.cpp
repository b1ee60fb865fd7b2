// SPDX-License-Identifier: BSL-1.0
#include "failing_env.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace keywatch::test {

using leveldb::Slice;
using leveldb::Status;

class FailingEnv::Reader final : public leveldb::SequentialFile {
public:
    Reader(FailingEnv& env, std::string name, leveldb::SequentialFile* file)
        : env_(env), name_(std::move(name)), file_(file)
    {
    }
    Status Read(std::size_t size, Slice* result, char* scratch) override
    {
        const Status status = env_.begin(Call::read, name_);
        return status.ok() ? file_->Read(env_.little_ ? (size + 1) / 2 : size, result, scratch)
                           : status;
    }
    Status Skip(std::uint64_t size) override { return file_->Skip(size); }

private:
    FailingEnv& env_;
    const std::string name_;
    const std::unique_ptr<leveldb::SequentialFile> file_;
};

class FailingEnv::RandomReader final : public leveldb::RandomAccessFile {
public:
    RandomReader(FailingEnv& env, std::string name, leveldb::RandomAccessFile* file)
        : env_(env), name_(std::move(name)), file_(file)
    {
    }
    Status Read(std::uint64_t offset, std::size_t size, Slice* result, char* scratch) const override
    {
        const Status status = env_.begin(Call::read, name_);
        return status.ok() ? file_->Read(offset, size, result, scratch) : status;
    }

private:
    FailingEnv& env_;
    const std::string name_;
    const std::unique_ptr<leveldb::RandomAccessFile> file_;
};

class FailingEnv::Writer final : public leveldb::WritableFile {
public:
    Writer(FailingEnv& env, std::string name, leveldb::WritableFile* file)
        : env_(env), name_(std::move(name)), file_(file)
    {
    }
    Status Append(const Slice& data) override
    {
        Status status = env_.begin(Call::append, name_);
        if (!status.ok()) {
            file_->Append(Slice(data.data(), data.size() / 2));
            return status;
        }
        return file_->Append(data);
    }
    Status Flush() override { return file_->Flush(); }
    Status Sync() override
    {
        const Status status = env_.begin(Call::sync, name_);
        return status.ok() ? file_->Sync() : status;
    }
    Status Close() override
    {
        const Status status = env_.begin(Call::close, name_);
        const Status closed = file_->Close();
        return status.ok() ? closed : status;
    }

private:
    FailingEnv& env_;
    const std::string name_;
    const std::unique_ptr<leveldb::WritableFile> file_;
};

FailingEnv::FailingEnv(leveldb::Env& base)
    : EnvWrapper(&base), disk_(dynamic_cast<storage::Disk&>(base))
{
}

void FailingEnv::fail(std::uint64_t nth, std::string text, Which which)
{
    const std::lock_guard lock(mutex_);
    left_ = nth;
    text_ = std::move(text);
    which_ = std::move(which);
    failed_call_.reset();
    failure_.clear();
}

std::optional<FailingEnv::Call> FailingEnv::failed_call() const
{
    const std::lock_guard lock(mutex_);
    return failed_call_;
}

std::string FailingEnv::failure() const
{
    const std::lock_guard lock(mutex_);
    return failure_;
}

Status FailingEnv::begin(Call call, const std::string& name)
{
    constexpr std::array names{"open",   "read",   "append", "sync", "close",
                               "rename", "remove", "list",   "look"};
    const std::lock_guard lock(mutex_);
    if (left_ == 0 || (which_ && !which_(call, name))) {
        return Status::OK();
    }
    --left_;
    if (left_ > 0) {
        return Status::OK();
    }
    failed_call_ = call;
    failure_ = std::string(names[static_cast<std::size_t>(call)]) + " of " + name;
    return Status::IOError(name, text_);
}

Status FailingEnv::sync_directory(const std::string& directory)
{
    const Status status = begin(Call::sync, directory + "/");
    return status.ok() ? disk_.sync_directory(directory) : status;
}

Status FailingEnv::sync_file(const std::string& name)
{
    const Status status = begin(Call::sync, name);
    return status.ok() ? disk_.sync_file(name) : status;
}

Status FailingEnv::NewSequentialFile(const std::string& name, leveldb::SequentialFile** file)
{
    Status status = begin(Call::open, name);
    status = status.ok() ? target()->NewSequentialFile(name, file) : status;
    *file = status.ok() ? new Reader(*this, name, *file) : nullptr;
    return status;
}

Status FailingEnv::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** file)
{
    Status status = begin(Call::open, name);
    status = status.ok() ? target()->NewRandomAccessFile(name, file) : status;
    *file = status.ok() ? new RandomReader(*this, name, *file) : nullptr;
    return status;
}

Status FailingEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    Status status = begin(Call::open, name);
    status = status.ok() ? target()->NewWritableFile(name, file) : status;
    *file = status.ok() ? new Writer(*this, name, *file) : nullptr;
    return status;
}

Status FailingEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file)
{
    Status status = begin(Call::open, name);
    status = status.ok() ? target()->NewAppendableFile(name, file) : status;
    *file = status.ok() ? new Writer(*this, name, *file) : nullptr;
    return status;
}

bool FailingEnv::FileExists(const std::string& name)
{
    return begin(Call::look, name).ok() && target()->FileExists(name);
}

Status FailingEnv::GetChildren(const std::string& directory, std::vector<std::string>* names)
{
    const Status status = begin(Call::list, directory);
    return status.ok() ? target()->GetChildren(directory, names) : status;
}

Status FailingEnv::RemoveFile(const std::string& name)
{
    const Status status = begin(Call::remove, name);
    return status.ok() ? target()->RemoveFile(name) : status;
}

Status FailingEnv::CreateDir(const std::string& name)
{
    const Status status = begin(Call::open, name);
    return status.ok() ? target()->CreateDir(name) : status;
}

Status FailingEnv::RemoveDir(const std::string& name)
{
    const Status status = begin(Call::remove, name);
    return status.ok() ? target()->RemoveDir(name) : status;
}

Status FailingEnv::GetFileSize(const std::string& name, std::uint64_t* size)
{
    const Status status = begin(Call::look, name);
    return status.ok() ? target()->GetFileSize(name, size) : status;
}

Status FailingEnv::RenameFile(const std::string& from, const std::string& to)
{
    const Status status = begin(Call::rename, from);
    return status.ok() ? target()->RenameFile(from, to) : status;
}

}  // namespace keywatch::test
