// SPDX-License-Identifier: BSL-1.0
#include "disk_env.hpp"

#include "disk_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string_view>
#include <utility>

namespace keywatch::storage {

namespace {

constexpr mode_t directory_mode = S_IRWXU;

leveldb::Status result_of(int result, const std::string& name)
{
    return result == 0 ? leveldb::Status::OK() : last_error(name);
}

}  // namespace

/// A lock that keeps out programs that use LevelDB directly. Programs that use keywatch lock the
/// marker.
class DiskEnv::Lock final : public leveldb::FileLock {
public:
    explicit Lock(Descriptor file) : file_(std::move(file)) {}

private:
    const Descriptor file_;
};

DiskEnv::DiskEnv() : EnvWrapper(leveldb::Env::Default()) {}

DiskEnv::~DiskEnv() = default;

leveldb::Status DiskEnv::hold(const std::string& directory)
{
    HeldDirectory::Opened opened = HeldDirectory::open(directory);
    held_ = std::move(opened.directory);
    held_path_ = directory;
    return opened.status;
}

OpenedFile DiskEnv::open_file(const std::string& name, int flags) const
{
    if (held_ && held_->has(name)) {
        return held_->open_file(name, flags);
    }
    const int opened = ::open(name.c_str(), flags | O_CLOEXEC, file_mode);
    return opened < 0 ? OpenedFile{{}, last_error(name)}
                      : OpenedFile{Descriptor(opened), leveldb::Status::OK()};
}

DiskEnv::Entry DiskEnv::entry_of(const std::string& name) const
{
    return held_ && held_->has(name) ? Entry{held_->descriptor(), HeldDirectory::name_of(name)}
                                     : Entry{AT_FDCWD, name};
}

leveldb::Status DiskEnv::link_file(const std::string& name, const std::string& second) const
{
    const Entry from = entry_of(name);
    const Entry to = entry_of(second);
    return result_of(::linkat(from.directory, from.name.c_str(), to.directory, to.name.c_str(), 0),
                     second);
}

leveldb::Status DiskEnv::NewSequentialFile(const std::string& name, leveldb::SequentialFile** file)
{
    OpenedFile opened = open_file(name, O_RDONLY);
    *file = opened.file ? new DiskReader(name, std::move(opened.file)) : nullptr;
    return opened.status;
}

leveldb::Status DiskEnv::NewRandomAccessFile(const std::string& name,
                                             leveldb::RandomAccessFile** file)
{
    OpenedFile opened = open_file(name, O_RDONLY);
    *file = opened.file ? new PositionedFile(name, std::move(opened.file)) : nullptr;
    return opened.status;
}

leveldb::Status DiskEnv::open_writer(const std::string& name, int flags,
                                     leveldb::WritableFile** file)
{
    *file = nullptr;
    if (held_ && held_->has(name)) {
        if (leveldb::Status status = held_->check_location(); !status.ok()) {
            return status;
        }
    }
    OpenedFile opened = open_file(name, flags | O_WRONLY | O_CREAT);
    // Truncates after the open, since O_TRUNC would also truncate a file that fails the checks.
    if (opened.file && (flags & O_APPEND) == 0 && ::ftruncate(opened.file.get(), 0) != 0) {
        return last_error(name);
    }
    if (opened.file) {
        // LevelDB relies on the sync of a manifest to make the names of new tables durable.
        const bool manifest = HeldDirectory::name_of(name).starts_with("MANIFEST");
        std::function<leveldb::Status()> before_sync;
        if (manifest) {
            before_sync = [this, directory = directory_of(name)] {
                return sync_directory(directory);
            };
        }
        *file = new DiskWriter(name, std::move(opened.file), std::move(before_sync));
    }
    return opened.status;
}

leveldb::Status DiskEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file)
{
    return open_writer(name, 0, file);
}

leveldb::Status DiskEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file)
{
    return open_writer(name, O_APPEND, file);
}

bool DiskEnv::FileExists(const std::string& name)
{
    const Entry entry = entry_of(name);
    struct stat found{};
    return ::fstatat(entry.directory, entry.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

leveldb::Status DiskEnv::GetChildren(const std::string& directory, std::vector<std::string>* names)
{
    return held_ && directory == held_path_ ? held_->list(names)
                                            : target()->GetChildren(directory, names);
}

leveldb::Status DiskEnv::RemoveFile(const std::string& name)
{
    const Entry entry = entry_of(name);
    return result_of(::unlinkat(entry.directory, entry.name.c_str(), 0), name);
}

leveldb::Status DiskEnv::CreateDir(const std::string& name)
{
    return result_of(::mkdir(name.c_str(), directory_mode), name);
}

leveldb::Status DiskEnv::GetFileSize(const std::string& name, std::uint64_t* size)
{
    const Entry entry = entry_of(name);
    struct stat found{};
    leveldb::Status status = result_of(
        ::fstatat(entry.directory, entry.name.c_str(), &found, AT_SYMLINK_NOFOLLOW), name);
    *size = status.ok() ? static_cast<std::uint64_t>(found.st_size) : 0;
    return status;
}

leveldb::Status DiskEnv::RenameFile(const std::string& from, const std::string& to)
{
    const Entry old_entry = entry_of(from);
    const Entry new_entry = entry_of(to);
    return result_of(::renameat(old_entry.directory, old_entry.name.c_str(), new_entry.directory,
                                new_entry.name.c_str()),
                     from);
}

leveldb::Status DiskEnv::LockFile(const std::string& name, leveldb::FileLock** lock)
{
    *lock = nullptr;
    OpenedFile opened = open_file(name, O_RDWR | O_CREAT);
    if (!opened.status.ok()) {
        return opened.status;
    }
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(opened.file.get(), F_SETLK, &whole) != 0) {
        return last_error(errno == EACCES || errno == EAGAIN ? "lock " + name : name);
    }
    *lock = new Lock(std::move(opened.file));
    return leveldb::Status::OK();
}

leveldb::Status DiskEnv::UnlockFile(leveldb::FileLock* lock)
{
    delete lock;
    return leveldb::Status::OK();
}

/// Uses a separate descriptor for every sync: LevelDB's file objects may be used by one thread
/// only.
leveldb::Status DiskEnv::sync_directory(const std::string& directory)
{
    const bool is_held = held_ && (directory == held_path_ || directory == held_path_ + "/");
    if (is_held) {
        return result_of(::fsync(held_->descriptor()), directory);
    }
    OpenedFile opened = open_file(directory, O_RDONLY | O_DIRECTORY);
    return opened.file ? result_of(::fsync(opened.file.get()), directory) : opened.status;
}

leveldb::Status DiskEnv::sync_file(const std::string& name)
{
    OpenedFile opened = open_file(name, O_WRONLY);
    if (opened.status.IsNotFound()) {
        return leveldb::Status::OK();
    }
    return opened.file ? result_of(::fdatasync(opened.file.get()), name) : opened.status;
}

/// Allocates the space or fails: the C library's posix_fallocate would write to every block if the
/// file system cannot allocate.
leveldb::Status DiskEnv::reserve(const std::string& name, std::uint64_t bytes)
{
    OpenedFile opened = open_file(name, O_WRONLY | O_CREAT);
    if (!opened.file) {
        return opened.status;
    }
    const auto size = static_cast<off_t>(bytes);
    leveldb::Status status = result_of(::ftruncate(opened.file.get(), size), name);
    if (status.ok() && bytes > 0) {
        status = result_of(::fallocate(opened.file.get(), 0, 0, size), name);
    }
    return status;
}

std::optional<std::uint64_t> DiskEnv::free_bytes(const std::string& directory)
{
    struct statvfs found{};
    if (::statvfs(directory.c_str(), &found) != 0) {
        return std::nullopt;
    }
    return std::uint64_t{found.f_bavail} * found.f_frsize;
}

leveldb::Env& disk_env()
{
    static DiskEnv& env = *new DiskEnv;  // leaked: databases in static objects may outlive it
    return env;
}

}  // namespace keywatch::storage
