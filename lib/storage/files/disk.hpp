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

/// The things that a database has to ask of a disk and LevelDB's Env cannot say. A test whose
/// Env simulates power cuts implements them; Store::open finds this interface on the Env that it
/// is given.
///
/// Thread safety: all may be called from any thread, at any time.
class Disk {
public:
    virtual ~Disk() = default;

    /// Makes durable which names the directory holds: files created, renamed and removed in it.
    virtual leveldb::Status sync_directory(const std::string& directory) = 0;

    /// Makes durable what has been appended to a file and flushed so far, also while another
    /// thread appends to it. Success if there is no such file (any more).
    virtual leveldb::Status sync_file(const std::string& name) = 0;

    /// Gives a file, which is made if it is not there, so many bytes of space on the disk. What is
    /// in them does not matter.
    virtual leveldb::Status reserve(const std::string& name, std::uint64_t /*bytes*/)
    {
        return leveldb::Status::NotSupported(name, "cannot be reserved");
    }

    /// The space that is free where this directory is; nothing if that is not known.
    virtual std::optional<std::uint64_t> free_bytes(const std::string& /*directory*/)
    {
        return std::nullopt;
    }
};

}  // namespace keywatch::storage
