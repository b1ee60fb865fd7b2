// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <leveldb/env.h>

#include <cstdint>
#include <string>

namespace keywatch::storage {

/// Reads a whole table file, of which it takes the first `size` bytes, and throws `damaged` if it
/// is not one that LevelDB can have written: every checksum is right, blocks follow each other and
/// decode, keys rise. LevelDB asserts some of that, so a file from elsewhere, whose checksums may
/// be made to be right, must be looked at before LevelDB is.
///
/// A file without the end of a table is passed over: it is one that was being written, and that no
/// manifest names.
void walk_table(leveldb::Env& env, const std::string& name, std::uint64_t size);

}  // namespace keywatch::storage
