// SPDX-License-Identifier: BSL-1.0
#include "disk_env.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace keywatch::storage {

namespace {

leveldb::Status last_error(const std::string& name)
{
    return errno == ENOENT ? leveldb::Status::NotFound(name, std::strerror(errno))
                           : leveldb::Status::IOError(name, std::strerror(errno));
}

/// Gives less than it is asked for only at the end of the file.
class PositionedFile final : public leveldb::RandomAccessFile {
public:
    PositionedFile(std::string name, int file) : name_(std::move(name)), file_(file) {}
    ~PositionedFile() override { ::close(file_); }

    leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                         char* scratch) const override
    {
        std::size_t read = 0;
        while (read < size) {
            const ssize_t got =
                ::pread(file_, scratch + read, size - read, static_cast<off_t>(offset + read));
            if (got == 0) {
                break;
            }
            if (got > 0) {
                read += static_cast<std::size_t>(got);
            } else if (errno != EINTR) {
                *result = leveldb::Slice();
                return last_error(name_);
            }
        }
        *result = leveldb::Slice(scratch, read);
        return leveldb::Status::OK();
    }

private:
    const std::string name_;
    const int file_;
};

}  // namespace

DiskEnv::DiskEnv() : EnvWrapper(leveldb::Env::Default()) {}

DiskEnv::~DiskEnv() = default;

leveldb::Status DiskEnv::NewRandomAccessFile(const std::string& name,
                                             leveldb::RandomAccessFile** file)
{
    *file = nullptr;
    int opened = -1;
    do {
        opened = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    } while (opened < 0 && errno == EINTR);
    if (opened < 0) {
        return last_error(name);
    }
    *file = new PositionedFile(name, opened);
    return leveldb::Status::OK();
}

leveldb::Env& disk_env()
{
    static DiskEnv& env = *new DiskEnv;  // databases in static objects may outlive any other
    return env;
}

}  // namespace keywatch::storage
