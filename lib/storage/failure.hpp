// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "failed_reads.hpp"

#include <keywatch/error.hpp>

#include <leveldb/status.h>

#include <cstdint>
#include <string>

namespace keywatch::storage {

/// Throws `storage_failed` if the system refused the read (an IOError), otherwise `damaged`.
[[noreturn]] void fail_read(const leveldb::Status& status);
/// Calls `fail_read` unless `status` is OK.
void check_read(const leveldb::Status& status);

/// A scope around one or more reads through LevelDB on one thread.
class ReadCheck {
public:
    ReadCheck() : failed_before_(FailedReads::count()) {}

    /// Throws if a read has failed since construction, even if LevelDB ignored that. Otherwise,
    /// throws if `status` is an error.
    void check(const leveldb::Status& status = {}) const;

private:
    std::uint64_t failed_before_;
};

/// Throws the error of an operation that opening needed, with the text of the status: `read_only`
/// if the system reports missing permission or a read-only file system, otherwise `open_failed`.
[[noreturn]] void fail_open(const leveldb::Status& status);
[[noreturn]] void fail_open(const std::string& what, int error_number);
/// Returns true if the error was caused by a full disk or an exhausted disk quota.
bool is_disk_full(const boost::system::system_error& error);
/// Calls `fail_open` unless `status` is OK.
void check_open(const leveldb::Status& status);

}  // namespace keywatch::storage
