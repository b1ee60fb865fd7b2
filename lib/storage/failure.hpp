// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "failed_reads.hpp"

#include <keywatch/error.hpp>

#include <leveldb/status.h>

#include <cstdint>
#include <string>

namespace keywatch::storage {

/// What a failed read means: `storage_failed` if the system refused it, else `damaged`.
[[noreturn]] void fail_read(const leveldb::Status& status);
/// The same, unless it is success.
void check_read(const leveldb::Status& status);

/// Stands around one or more reads through LevelDB on one thread.
class ReadCheck {
public:
    ReadCheck() : failed_before_(FailedReads::count()) {}

    /// Throws if something was not read since, also if LevelDB went on without it; or else for what
    /// LevelDB reports.
    void check(const leveldb::Status& status = {}) const;

private:
    std::uint64_t failed_before_;
};

/// The error of an operation that opening needed: `read_only` if the system says so, else
/// `open_failed`, with the status's own text.
[[noreturn]] void fail_open(const leveldb::Status& status);
[[noreturn]] void fail_open(const std::string& what, int error_number);
/// Whether that was because the disk, or what this user may have of it, is full.
bool is_disk_full(const boost::system::system_error& error);
/// The same as fail_open, unless it is success.
void check_open(const leveldb::Status& status);

}  // namespace keywatch::storage
