// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/status.h>

#include <string>

namespace keywatch::storage {

/// The two things that a database has to ask of a disk and LevelDB's Env cannot say. A test whose
/// Env simulates power cuts implements both; Store::open finds this interface on the Env that it
/// is given.
///
/// Thread safety: both may be called from any thread, at any time.
class Disk {
public:
    virtual ~Disk() = default;

    /// Makes durable which names the directory holds: files created, renamed and removed in it.
    virtual leveldb::Status sync_directory(const std::string& directory) = 0;

    /// Makes durable what has been appended to a file and flushed so far, also while another
    /// thread appends to it. Success if there is no such file (any more).
    virtual leveldb::Status sync_file(const std::string& name) = 0;
};

}  // namespace keywatch::storage
