// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"

#include <leveldb/env.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace keywatch::storage {

/// A file on disk that is read sequentially.
class DiskReader final : public leveldb::SequentialFile {
public:
    DiskReader(std::string name, Descriptor file) : name_(std::move(name)), file_(std::move(file))
    {
    }

    leveldb::Status Read(std::size_t size, leveldb::Slice* result, char* scratch) override;
    leveldb::Status Skip(std::uint64_t bytes) override;

private:
    const std::string name_;
    const Descriptor file_;
};

/// A file on disk that is read at any offset, with `pread`. A read returns less than requested only
/// at the end of the file.
class PositionedFile final : public leveldb::RandomAccessFile {
public:
    PositionedFile(std::string name, Descriptor file)
        : name_(std::move(name)), file_(std::move(file))
    {
    }

    leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                         char* scratch) const override;

private:
    const std::string name_;
    const Descriptor file_;
};

/// A file on disk that is appended to, through a buffer.
class DiskWriter final : public leveldb::WritableFile {
public:
    /// `before_sync`, if not empty, is called at the beginning of each sync.
    DiskWriter(std::string name, Descriptor file, std::function<leveldb::Status()> before_sync);
    ~DiskWriter() override;

    leveldb::Status Append(const leveldb::Slice& data) override;
    leveldb::Status Flush() override;
    leveldb::Status Sync() override;
    leveldb::Status Close() override;

private:
    leveldb::Status write(const char* data, std::size_t size);

    static constexpr std::size_t buffer_bytes = std::size_t{64} << 10;

    const std::string name_;
    Descriptor file_;
    const std::function<leveldb::Status()> before_sync_;
    const std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(buffer_bytes);
    std::size_t buffered_ = 0;
};

}  // namespace keywatch::storage
