// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backup_target.hpp"

#include "storage/files/place.hpp"

#include <iosfwd>
#include <string>

namespace leveldb {
class Env;
}

namespace keywatch::storage {

/// Makes a database of a stream that BackupStream has written, and opens it once, so that it is
/// known to be one. Whatever fails, the directory is left as it was.
///
/// `base`: the Env to run on instead of the default one, as in Store::open.
BackupIdentity restore(std::istream& in, const std::string& directory,
                       leveldb::Env* base = nullptr);

/// Where a backup that is a directory goes: with an Env as in Store::open.
Place backup_place(const std::string& directory, leveldb::Env* base = nullptr);

}  // namespace keywatch::storage
