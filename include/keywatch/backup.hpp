// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <iosfwd>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// Restores a database from a stream written by `Database::backup` into a directory that is empty
/// or does not exist (its parent must exist). Returns the newest revision of the restored database.
///
/// Verifies every byte of the stream against its checksums, then opens the database once with the
/// checks of `Database::open`. Reads the stream up to the end of the backup and not beyond it.
/// Blocks the caller.
///
/// Thread safety: may be called from any thread; a stream must not be shared by concurrent calls.
///
/// Errors: `damaged` if the stream is truncated or was altered; `not_a_database` if it is not a
/// keywatch backup; `format_too_new`; `backup_failed` if the directory cannot be written or is not
/// empty; `invalid_option` if the directory has no name or a NUL byte in its name; the errors of
/// `Database::open`; whatever the stream throws. After an error the directory is as it was before
/// the call.
Revision restore_blocking(std::istream& in, const std::string& directory);

}  // namespace keywatch
