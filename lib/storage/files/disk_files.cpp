// SPDX-License-Identifier: BSL-1.0
#include "disk_files.hpp"

#include "held_directory.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace keywatch::storage {

leveldb::Status DiskReader::Read(std::size_t size, leveldb::Slice* result, char* scratch)
{
    ssize_t got = 0;
    do {
        got = ::read(file_.get(), scratch, size);
    } while (got < 0 && errno == EINTR);
    *result = leveldb::Slice(scratch, got < 0 ? 0 : static_cast<std::size_t>(got));
    return got < 0 ? last_error(name_) : leveldb::Status::OK();
}

leveldb::Status DiskReader::Skip(std::uint64_t bytes)
{
    return ::lseek(file_.get(), static_cast<off_t>(bytes), SEEK_CUR) < 0 ? last_error(name_)
                                                                         : leveldb::Status::OK();
}

leveldb::Status PositionedFile::Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                                     char* scratch) const
{
    std::size_t read = 0;
    while (read < size) {
        const ssize_t got =
            ::pread(file_.get(), scratch + read, size - read, static_cast<off_t>(offset + read));
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

DiskWriter::DiskWriter(std::string name, Descriptor file,
                       std::function<leveldb::Status()> before_sync)
    : name_(std::move(name)), file_(std::move(file)), before_sync_(std::move(before_sync))
{
}

DiskWriter::~DiskWriter()
{
    if (file_) {
        Close();
    }
}

leveldb::Status DiskWriter::Append(const leveldb::Slice& data)
{
    const std::size_t fits = std::min(data.size(), buffer_bytes - buffered_);
    std::memcpy(buffer_.get() + buffered_, data.data(), fits);
    buffered_ += fits;
    const std::size_t left = data.size() - fits;
    if (left == 0) {
        return leveldb::Status::OK();
    }
    leveldb::Status status = Flush();
    if (!status.ok()) {
        return status;
    }
    if (left >= buffer_bytes) {
        return write(data.data() + fits, left);
    }
    std::memcpy(buffer_.get(), data.data() + fits, left);
    buffered_ = left;
    return status;
}

leveldb::Status DiskWriter::Flush()
{
    return write(buffer_.get(), std::exchange(buffered_, 0));
}

leveldb::Status DiskWriter::Sync()
{
    leveldb::Status status = before_sync_ ? before_sync_() : leveldb::Status::OK();
    if (status.ok()) {
        status = Flush();
    }
    if (status.ok() && ::fdatasync(file_.get()) != 0) {
        status = last_error(name_);
    }
    return status;
}

leveldb::Status DiskWriter::Close()
{
    leveldb::Status status = Flush();
    file_ = Descriptor();
    return status;
}

leveldb::Status DiskWriter::write(const char* data, std::size_t size)
{
    while (size > 0) {
        const ssize_t written = ::write(file_.get(), data, size);
        if (written >= 0) {
            data += written;
            size -= static_cast<std::size_t>(written);
        } else if (errno != EINTR) {
            return last_error(name_);
        }
    }
    return leveldb::Status::OK();
}

}  // namespace keywatch::storage
