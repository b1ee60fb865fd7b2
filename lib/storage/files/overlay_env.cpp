// SPDX-License-Identifier: BSL-1.0
#include "overlay_env.hpp"

#include <leveldb/helpers/memenv.h>

namespace keywatch::storage {

namespace {

leveldb::Status missing(const std::string& name)
{
    return leveldb::Status::NotFound(name, "removed");
}

}  // namespace

OverlayEnv::OverlayEnv(leveldb::Env* below)
    : EnvWrapper(below), memory_(leveldb::NewMemEnv(leveldb::Env::Default()))
{
}

OverlayEnv::~OverlayEnv() = default;

leveldb::Env* OverlayEnv::env_of(const std::string& name) const
{
    const MutexLock lock(mutex_);
    if (made_.contains(name)) {
        return memory_.get();
    }
    return removed_.contains(name) ? nullptr : target();
}

/// Marks the file as one in memory.
void OverlayEnv::take(const std::string& name)
{
    const MutexLock lock(mutex_);
    made_.insert(name);
    removed_.erase(name);
}

leveldb::Status OverlayEnv::NewSequentialFile(const std::string& name,
                                              leveldb::SequentialFile** file)
{
    *file = nullptr;
    leveldb::Env* const env = env_of(name);
    return env != nullptr ? env->NewSequentialFile(name, file) : missing(name);
}

leveldb::Status OverlayEnv::NewRandomAccessFile(const std::string& name,
                                                leveldb::RandomAccessFile** file)
{
    *file = nullptr;
    leveldb::Env* const env = env_of(name);
    return env != nullptr ? env->NewRandomAccessFile(name, file) : missing(name);
}

leveldb::Status OverlayEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    take(name);
    return memory_->NewWritableFile(name, file);
}

leveldb::Status OverlayEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file)
{
    *file = nullptr;
    return leveldb::Status::NotSupported(name, "cannot be appended to");
}

bool OverlayEnv::FileExists(const std::string& name)
{
    leveldb::Env* const env = env_of(name);
    return env != nullptr && env->FileExists(name);
}

leveldb::Status OverlayEnv::GetChildren(const std::string& directory,
                                        std::vector<std::string>* names)
{
    leveldb::Status status = target()->GetChildren(directory, names);
    if (!status.ok()) {
        return status;
    }
    std::set<std::string> children(names->begin(), names->end());
    const std::string prefix = directory + "/";
    const MutexLock lock(mutex_);
    for (const std::string& name : removed_) {
        if (name.starts_with(prefix)) {
            children.erase(name.substr(prefix.size()));
        }
    }
    for (const std::string& name : made_) {
        if (name.starts_with(prefix)) {
            children.insert(name.substr(prefix.size()));
        }
    }
    names->assign(children.begin(), children.end());
    return status;
}

leveldb::Status OverlayEnv::RemoveFile(const std::string& name)
{
    bool in_memory = false;
    {
        const MutexLock lock(mutex_);
        in_memory = made_.erase(name) > 0;
        removed_.insert(name);
    }
    return in_memory ? memory_->RemoveFile(name) : leveldb::Status::OK();
}

leveldb::Status OverlayEnv::RenameFile(const std::string& from, const std::string& to)
{
    if (env_of(from) != memory_.get()) {
        return leveldb::Status::NotSupported(from, "cannot be renamed");
    }
    leveldb::Status status = memory_->RenameFile(from, to);
    if (status.ok()) {
        take(to);
        const MutexLock lock(mutex_);
        made_.erase(from);
        removed_.insert(from);
    }
    return status;
}

leveldb::Status OverlayEnv::CreateDir(const std::string&)
{
    return leveldb::Status::OK();
}

leveldb::Status OverlayEnv::RemoveDir(const std::string&)
{
    return leveldb::Status::OK();
}

leveldb::Status OverlayEnv::GetFileSize(const std::string& name, std::uint64_t* size)
{
    leveldb::Env* const env = env_of(name);
    return env != nullptr ? env->GetFileSize(name, size) : missing(name);
}

leveldb::Status OverlayEnv::LockFile(const std::string& name, leveldb::FileLock** lock)
{
    return memory_->LockFile(name, lock);
}

leveldb::Status OverlayEnv::UnlockFile(leveldb::FileLock* lock)
{
    return memory_->UnlockFile(lock);
}

}  // namespace keywatch::storage
