// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/error.hpp>

#include <leveldb/status.h>

#include <string>

namespace keywatch::storage {

[[noreturn]] void fail(Error error, const std::string& what);

/// Throws `damaged` for what a read reports, unless it is success.
void check_read(const leveldb::Status& status);

/// The error of an operation that opening needed: `read_only` if the system says so, else
/// `open_failed`, with the status's own text.
[[noreturn]] void fail_open(const leveldb::Status& status);
[[noreturn]] void fail_open(const std::string& what, int error_number);
/// Whether that was because the disk, or what this user may have of it, is full.
bool is_disk_full(const boost::system::system_error& error);
/// The same as fail_open, unless it is success.
void check_open(const leveldb::Status& status);

}  // namespace keywatch::storage
