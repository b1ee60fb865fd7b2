// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace keywatch::storage {

/// Returns the directory that holds the file of this name.
inline std::string directory_of(const std::string& name)
{
    const std::size_t slash = name.rfind('/');
    return slash == std::string::npos ? std::string(".")
                                      : name.substr(0, std::max<std::size_t>(slash, 1));
}

/// The operations on a disk that a database needs and LevelDB's Env does not have. A test whose Env
/// simulates power cuts implements them. Store::open looks for this interface on the Env that it
/// receives.
///
/// Thread safety: all members, from any thread, at any time.
class Disk {
public:
    virtual ~Disk() = default;

    /// Makes the names in a directory durable: files created, renamed and removed in it.
    virtual leveldb::Status sync_directory(const std::string& directory) = 0;

    /// Makes durable what has been appended to a file and flushed so far, even while another thread
    /// appends to it. Succeeds if the file does not exist.
    virtual leveldb::Status sync_file(const std::string& name) = 0;

    /// Sets the size of a file and allocates the disk space for it. Creates the file if it does not
    /// exist. Its contents do not matter.
    virtual leveldb::Status reserve(const std::string& name, std::uint64_t /*bytes*/)
    {
        return leveldb::Status::NotSupported(name, "cannot be reserved");
    }

    /// Returns the free space of the file system with this directory, or nullopt if it is unknown.
    virtual std::optional<std::uint64_t> free_bytes(const std::string& /*directory*/)
    {
        return std::nullopt;
    }
};

}  // namespace keywatch::storage
