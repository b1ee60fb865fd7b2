// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backup_target.hpp"

#include "storage/files/location.hpp"

#include <iosfwd>
#include <string>

namespace leveldb {
class Env;
}

namespace keywatch::storage {

/// Creates a database from a stream written by BackupStream, and opens it once to verify that it is
/// one. If anything fails, the directory is left as it was.
///
/// `base`: the Env to use instead of the default one, as in Store::open.
BackupIdentity restore(std::istream& in, const std::string& directory,
                       leveldb::Env* base = nullptr);

/// Returns the location of a backup that is a directory. `base`: as in Store::open.
Location backup_location(const std::string& directory, leveldb::Env* base = nullptr);

}  // namespace keywatch::storage
