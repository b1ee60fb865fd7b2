// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <iosfwd>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// Makes a database of a stream that `Database::backup` has written, in a directory that is empty
/// or does not exist (its parent must). Gives its newest revision.
///
/// Every byte of the stream is checked against its checksums, and the database is opened once, and
/// checked as `Database::open` does, before this returns. Reads the stream to the end of the backup
/// and no further. Blocks the caller.
///
/// Thread safety: may be called from any thread; a stream belongs to one call.
///
/// Errors: `damaged`, if the stream is cut short or was altered; `not_a_database`, if it is none of
/// ours; `format_too_new`; `backup_failed`, if the directory cannot be written or is not empty;
/// `invalid_option`, of a directory without a name or with a NUL byte in it; those of
/// `Database::open`; what the stream throws. The directory is then left as it was.
Revision restore_blocking(std::istream& in, const std::string& directory);

}  // namespace keywatch
