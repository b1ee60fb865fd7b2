// SPDX-License-Identifier: BSL-1.0
#include "disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keywatch::storage {

namespace {

leveldb::Status last_error(const std::string& name)
{
    return leveldb::Status::IOError(name, std::strerror(errno));
}

/// A descriptor of its own for every sync: LevelDB's file objects may be used by one thread only.
template <class Sync>
leveldb::Status open_and_sync(const std::string& name, int flags, Sync sync)
{
    const int file = ::open(name.c_str(), flags | O_CLOEXEC);
    if (file < 0) {
        return last_error(name);
    }
    const leveldb::Status status = sync(file) == 0 ? leveldb::Status::OK() : last_error(name);
    ::close(file);
    return status;
}

class RealDisk final : public Disk {
public:
    leveldb::Status sync_directory(const std::string& directory) override
    {
        return open_and_sync(directory, O_RDONLY | O_DIRECTORY, ::fsync);
    }

    leveldb::Status sync_file(const std::string& name) override
    {
        const leveldb::Status status = open_and_sync(name, O_WRONLY, ::fdatasync);
        return !status.ok() && ::access(name.c_str(), F_OK) != 0 && errno == ENOENT
                   ? leveldb::Status::OK()
                   : status;
    }
};

}  // namespace

Disk& real_disk()
{
    static RealDisk disk;
    return disk;
}

}  // namespace keywatch::storage
