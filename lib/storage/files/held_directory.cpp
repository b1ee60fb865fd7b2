// SPDX-License-Identifier: BSL-1.0
#include "held_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace keywatch::storage {

namespace {

constexpr uid_t root = 0;

int open_at(int directory, const std::string& name, int flags)
{
    int opened = -1;
    do {
        opened = ::openat(directory, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                          file_mode);
    } while (opened < 0 && errno == EINTR);
    return opened;
}

/// Returns the status of a refused file. The system's own text for these cases is hard to
/// understand.
leveldb::Status refused(const std::string& path)
{
    switch (errno) {
    case ELOOP:
        return leveldb::Status::IOError(path, "is a symbolic link");
    case ENXIO:
        return leveldb::Status::IOError(path, "is not a regular file");
    default:
        return last_error(path);
    }
}

}  // namespace

leveldb::Status last_error(const std::string& name)
{
    return errno == ENOENT ? leveldb::Status::NotFound(name, std::strerror(errno))
                           : leveldb::Status::IOError(name, std::strerror(errno));
}

HeldDirectory::HeldDirectory(std::string path, DIR* stream, uid_t owner, gid_t group)
    : path_(std::move(path)), stream_(stream), owner_(owner), group_(group)
{
}

HeldDirectory::Opened HeldDirectory::open(const std::string& path)
{
    DIR* const stream = ::opendir(path.c_str());
    if (stream == nullptr) {
        return {nullptr, last_error(path)};
    }
    struct stat found{};
    if (::fstat(::dirfd(stream), &found) != 0) {
        const leveldb::Status status = last_error(path);
        ::closedir(stream);
        return {nullptr, status};
    }
    return {
        std::unique_ptr<HeldDirectory>(new HeldDirectory(path, stream, found.st_uid, found.st_gid)),
        leveldb::Status::OK()};
}

bool HeldDirectory::has(std::string_view path) const noexcept
{
    return path.size() > path_.size() + 1 && path.starts_with(path_) && path[path_.size()] == '/' &&
           path.find('/', path_.size() + 1) == std::string_view::npos;
}

bool HeldDirectory::owner_is_trusted() const noexcept
{
    const uid_t user = ::geteuid();
    return user == root || owner_ == root || owner_ == user;
}

OpenedFile HeldDirectory::open_file(const std::string& path, int flags) const
{
    const int opened = open_or_make(name_of(path), flags);
    if (opened < 0) {
        return {{}, refused(path)};
    }
    OpenedFile result{Descriptor(opened), check_file(path, opened)};
    if (!result.status.ok()) {
        result.file = Descriptor();
    }
    return result;
}

int HeldDirectory::open_or_make(const std::string& name, int flags) const
{
    if ((flags & O_CREAT) == 0) {
        return open_at(descriptor(), name, flags);
    }
    const int made = open_at(descriptor(), name, flags | O_EXCL);
    if (made < 0 && errno == EEXIST && (flags & O_EXCL) == 0) {
        return open_at(descriptor(), name, flags & ~O_CREAT);
    }
    if (made >= 0 && ::geteuid() == root && owner_ != root) {
        // If this fails, the file remains root's.
        [[maybe_unused]] const int ignored = ::fchown(made, owner_, group_);
    }
    return made;
}

leveldb::Status HeldDirectory::check_file(const std::string& path, int file) const
{
    struct stat found{};
    if (::fstat(file, &found) != 0) {
        return last_error(path);
    }
    if (!S_ISREG(found.st_mode)) {
        return leveldb::Status::IOError(path, "is not a regular file");
    }
    const uid_t user = ::geteuid();
    if (user != root && found.st_uid != root && found.st_uid != user && found.st_uid != owner_) {
        return leveldb::Status::IOError(
            path, "belongs to another user (" + std::to_string(found.st_uid) + ")");
    }
    return leveldb::Status::OK();
}

leveldb::Status HeldDirectory::list(std::vector<std::string>* names) const
{
    names->clear();
    const MutexLock lock(listing_);
    ::rewinddir(stream_.get());
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(stream_.get());
        if (entry == nullptr) {
            return errno == 0 ? leveldb::Status::OK() : last_error(path_);
        }
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names->emplace_back(name);
        }
    }
}

leveldb::Status HeldDirectory::check_location() const
{
    struct stat here{};
    struct stat there{};
    if (::fstat(descriptor(), &here) != 0) {
        return last_error(path_);
    }
    if (::stat(path_.c_str(), &there) != 0 || here.st_dev != there.st_dev ||
        here.st_ino != there.st_ino) {
        return leveldb::Status::IOError(
            path_, "was moved, removed or replaced while the database was open");
    }
    return leveldb::Status::OK();
}

}  // namespace keywatch::storage
